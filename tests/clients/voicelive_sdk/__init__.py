"""The live tests of the official Python SDK, as its source distribution has them.

live_tests   installs the SDK and its tests, runs them, and counts
plugin       gives each test an emulator, and fails those that pass beside an error
scripts      what the emulator says in each test
recordings   the recordings that the tests play
stand_in/    a package that the tests import and that is not published
"""
