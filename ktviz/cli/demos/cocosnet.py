"""x"""


def run(output, quiet):
    raise NotImplementedError
