"""YAML files and environment variables to values that know where they were written.

text_file    reads a file: limited in size, UTF-8
env_file     the file ``.env``
position     a place in a text file
scalars      single values of a YAML file
document     a YAML file as data, with the place of each key
syntax       explains errors of YAML
environment  ``${NAME}`` in values, and the variables that are read
section      the model that all sections share: no unknown keys, no conversion
written      what was written where a value is missing or unusable
validation   explains errors of a model, at the place of the key
problems     ConfigErrors: all errors of a configuration

May import what ``gateway.config`` may import. Pure, but for files.
"""
