from tests import emulator

if emulator.is_on():  # in every process: the workers of data loaders import the tests too
    emulator.install()
