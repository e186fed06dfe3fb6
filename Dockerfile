FROM python:3.13-slim AS build
# 1 compiles the modules that are at work in every frame of a call: --build-arg COMPILED=1 (docs/performance.md, Compiled).
ARG COMPILED=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /venv
COPY pyproject.toml constraints.txt ./
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
      > requirements.txt \
 && pip --python /venv/bin/python install -r requirements.txt -c constraints.txt \
 && pip install hatchling -c constraints.txt
RUN if [ "$COMPILED" = 1 ]; then \
      apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
      && pip install hatch-mypyc -r requirements.txt -c constraints.txt; \
    fi
COPY README.md LICENSE ./
COPY gateway gateway
RUN HATCH_BUILD_HOOK_ENABLE_MYPYC=$COMPILED pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && pip --python /venv/bin/python install --no-deps /wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home gateway
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY config config
# Records of calls are kept in /data, which a volume outlives (docs/records.md).
RUN install -d -o gateway calls && install -d -m 700 -o gateway /data
ENV GATEWAY_DATA=/data
USER gateway
EXPOSE 8080
# Health and metrics have a port of their own, which is not published: other containers and the orchestrator reach it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9090/healthz', timeout=2)"]
# SIGTERM is what docker stop sends: calls in progress are ended in order, within five seconds.
ENTRYPOINT ["gateway"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--private", "0.0.0.0:9090"]
