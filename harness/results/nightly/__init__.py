"""A suite run night after night: is the new version of a tool as good as the last good one?"""
