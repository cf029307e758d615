"""Banks of codes: what an encoder says of objects, or of whole pictures, clustered class by class."""
