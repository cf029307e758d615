"""The workbench: an application of widgets for people who do not write code."""
