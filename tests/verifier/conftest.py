import pytest

from tests.verifier.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return World()
