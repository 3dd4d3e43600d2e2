"""Search of messages: what an index holds of them, how it is kept, and how it is asked.

After the message's way. The log stays as it is: the index is made from it, and can be made again.
"""
