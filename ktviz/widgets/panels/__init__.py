"""The panels of a view, one module each, named as those in `web/src/panels/`."""
