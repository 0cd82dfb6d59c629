"""What several test files share: one sandbox for all, and a child of it for each test."""

import pytest

from autograder.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as one:
        yield one


@pytest.fixture
def child(sandbox):
    with sandbox.child() as one:
        yield one
