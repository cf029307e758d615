"""Systems: complete image-translation models that pass every choice of knowledge through a retrieval site."""
