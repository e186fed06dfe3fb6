"""The live tests and the samples of the official Python SDK, as its source distribution has them.

live_tests   installs the SDK and its tests, runs them, and counts
plugin       gives each test an emulator, and fails those that pass beside an error
scripts      what the emulator says in each test
recordings   the recordings that the tests play
samples      runs the official samples
stand_in/    packages that tests and samples import: development tools that are not published, and a sound card
"""
