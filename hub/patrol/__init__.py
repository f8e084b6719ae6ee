"""Patrol: were the grids truly visited and the streets swept; who was where on duty."""
