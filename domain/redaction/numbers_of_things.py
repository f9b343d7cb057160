"""What has a number of its own and is nothing that is looked for, told by the word before "number"."""

_NO_NAME = (
    "the a an your my that this these those his her their its our what which another any some right wrong good same first second third last "
    "whole full next big long longer short little small new old other only real actual and or is with of by to for on in from at as it "
    "best main direct contact call cell work home office phone mobile fax toll free back 1 card account routing security social daytime "
    "evening emergency alternate alternative backup text texting different better valid current up one's every each no just "
    "verification long entire pin code date while when where if so expiration bank checking savings transit aba tax read reading give get have say need"
)
ANY_NUMBER = (rf"(?!(?:{'|'.join(_NO_NAME.split())})\b|\w*'|\d)\w+ numbers?",)
"""The number of something that is none of what is looked for: of a title, a meter, a locker."""
