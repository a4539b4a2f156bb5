"""Real browsers at their own ways in: Chromium by its keys, text browsers at a terminal."""
