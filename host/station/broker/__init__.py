"""The message broker: the embedded one, and the files for a Mosquitto that takes its place.

Both use the same credentials file (Mosquitto's password format) and the same rule of who may say what:
station.platform.credentials and station.platform.topics.
"""
