"""The small model: sizes, backbone, camera, codec, weights."""
