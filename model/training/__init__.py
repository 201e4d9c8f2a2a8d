"""Both stages, from any checkpoint on."""
