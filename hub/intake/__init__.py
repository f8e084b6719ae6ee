"""Reports by people and other systems: hotline, citizens, patrols, letters, media, Open311."""
