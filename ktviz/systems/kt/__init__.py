"""KT: fine-grained knowledge transfer (Chen et al. 2020), with its encoder, transfer, decoder and translator."""
