"""Small parts that any provider may use.

json_text     reads and writes what is common to all wires of JSON text
members       reads the members of a peer's JSON
call_id       which texts are ids of calls
numbers       phone numbers written without a plus
http_request  requests to REST APIs, and credentials in headers
access_token  tokens that some REST APIs ask for before each command
webhook_body  the bodies of webhooks
xml_document  XML documents, built and written
signed_url    the spellings of a URL that a provider may have signed
signed_text   the text that a signature was made of, of several that it may be
jwt           tokens signed with a shared secret
jwks          tokens signed with a published key

May import what ``gateway.phone`` may import; no dialect, no provider. ``gateway.call`` may not import it. Pure.
"""
