"""Every module of asdbench.metrics shows runnable examples, and they tell the truth."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import asdbench.metrics

MODULES = [module.name for module in pkgutil.iter_modules(asdbench.metrics.__path__, "asdbench.metrics.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted
    assert not results.failed


@pytest.mark.parametrize("name", asdbench.metrics.__all__)
def test_every_public_function_says_what_it_computes_and_shows_it(name):
    function = getattr(asdbench.metrics, name)
    if inspect.isfunction(function):
        text = inspect.getdoc(function)
        assert all(section in text for section in ("Args:", "Returns:", "Raises:", "Source:", "Example:", ">>>"))


def test_metrics_load_neither_torch_nor_pandas():
    code = "import sys, asdbench.metrics; sys.exit(bool({'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
