"""What each error means: the pages behind `ktviz error NAME`."""
