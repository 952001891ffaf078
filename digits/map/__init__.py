"""The map: all tiles on a plane, near each other where the network sees the same in them."""
