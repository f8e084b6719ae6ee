"""What runs beside the camera or in the vehicle; works without a network."""
