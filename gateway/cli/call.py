"""placeholder"""
def add_demo(c): pass
def add_call(c): pass
