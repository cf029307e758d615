"""Audits: which works made a picture, under which licences, what it would be without them; and proof of it."""
