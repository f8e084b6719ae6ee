"""Vehicles over time: stops, trips, unloading, patrol coverage."""
