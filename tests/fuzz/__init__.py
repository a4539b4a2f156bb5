"""Fuzz targets for Atheris, which is not among the packages that the tests install.

    python3 -m venv FOLDER && FOLDER/bin/pip install atheris
    FOLDER/bin/python -m tests.fuzz.wbxml decode -runs=2000000 -seed=1

Each target has a test that runs it on its own samples (`tests/wap`), so that it stays alive without Atheris.
"""
