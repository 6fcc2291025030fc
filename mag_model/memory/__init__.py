"""The K/V memory: cached frames, policies, masks, attention."""
