"""The library: a package for each part of the way from the files of a competition to a submission.

This file makes `src` a package of its own: without it, another project's `src` on PYTHONPATH would be imported instead.
"""
