"""Memorize-and-Generate: a memory model writes a small K/V cache, a generator reads it (arXiv 2512.18741).

Shapes in this package: B batch, F latent frames, S tokens a frame, N tokens, H heads, D head dimension, P pose numbers,
C latent channels.
"""
