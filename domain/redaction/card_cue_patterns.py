"""The words in which a card's number, its code and its date are asked for and named, put together from what they are made of.

People name the thing (a code, digits, numbers), say how long it is, where on the card it stands, what it is good for. Some of that says
enough by itself; the rest (``AT_A_PAYMENT``) only while a card is talked about. Over the text of spoken_numbers. The other cues: cue_patterns.
"""

# fmt: off
NUMBER = r"(?:number|numbers|no|digits|#)"
THE = r"(?:the|your|my|that|this|his|her|their|its|a)"

_DIGITS = r"(?:digits?|numbers?|numerals?|figures?|ones|nums?)"
_CODE = rf"(?:codes?|pin|value|thing|thingy|bit|combo|combination|string|{_DIGITS})"
_SAFE = r"(?:security|verification|verifying|verify|validation|safety|secret|secure|signature|cvv|cvc)"
_SMALL = r"(?:little|small|tiny|wee|teeny|extra|short|printed|last|final|other)"
_SHORT = r"(?:3|4)"
_AT = r"(?:on|from|at|off|of|in|by|beside|near|behind|under|underneath|above|over|after|next to|beneath|along|to the \w+ of)"
_BACK = r"(?:back|backside|reverse|rear|(?:other|flip|back|second|signature|far) side|flipside|underside)"
_STRIP = r"(?:(?:signature|sign|signing|white|magnetic|mag) ?(?:strip|stripe|panel|box|line|bar|space))"
_SIGNED = rf"(?:{_STRIP}|signature|scribble|autograph|squiggle|(?:where (?:you|he|she|i|they) )?(?:sign|signed))"
_CARD = r"(?:card|cards|card's|visa|mastercard|master card|amex|american express|discover|plastic)"
_NOT_OF = rf"(?! of (?:{THE} )?(?!{_CARD})\w)"

SECURITY_CODE = (
    _STRIP,
    rf"(?:card )?{_SAFE} {_CODE}", rf"(?:card )?{_SAFE} (?:on|for|of) (?:it|{THE} {_CARD})", r"card (?:verification|security|identification|id code)",
    rf"(?<!zip )codes? (?:\w+ )?(?:on|for|of|off|from|to|with) {THE} (?:\w+ )?{_CARD}", r"cards? codes?", r"card's codes?",
    r"cvv ?2?s?", r"cvc ?2?", r"cv2", r"cvn", r"cbv", r"cvb", r"csc", r"cid",
    r"(?:c|see|sea) (?:v|b) (?:v|c|b|2|n)(?: 2)?", r"c i d", r"c s c", r"\w+ v [vc](?: 2)?",
    rf"(?:{_SMALL} |the )*{_SHORT}[ -]?(?:{_SMALL} )*{_DIGITS} (?:\w+ ){{0,3}}{_AT} (?:{THE} )?(?:very |card's )?(?:{_BACK}|front|{_SIGNED})",
    rf"(?:{_SMALL} )*{_SHORT} (?:\w+ )?{_AT} (?:{THE} )?(?:very |card's )?(?:{_BACK}|front|{_SIGNED})",
    rf"{_SHORT} digits? (?:security |verification |card |secret |back |little )?(?:code|number|pin|value)s?",
    rf"{_SHORT} digit (?:thing|thingy|bit|jobby|whatsit)",
    rf"(?:little|small|tiny|wee|teeny) (?:{_SMALL} |\w+ (?=code))*(?:code|number|digit|figure)s?",
    rf"(?:codes?|{_DIGITS}|3|4|{_SMALL}) (?:\w+ )?{_AT} (?:{THE} )?(?:very )?(?:{_BACK}|{_SIGNED})(?: of {THE} {_CARD}|{_NOT_OF})",
    rf"(?:those|these|the) (?:{_SMALL} )*{_SHORT} (?:{_SMALL} )*{_DIGITS}",
    rf"(?:the|on) (?:back|reverse|rear|flip side) (?:of {THE} {_CARD} )?(?:{_SHORT}|code|{_DIGITS})", rf"{_SHORT} (?:little |small |tiny )+{_DIGITS}",
    rf"(?:back|reverse|rear|flip side) of (?:{THE} )?{_CARD}",
    rf"(?:flip|turn) {THE} {_CARD}(?: over)?",
)
"""What names the security code: the code itself, or so many digits at such a place."""

CARD_NUMBER = (
    rf"(?:credit |debit |bank |visa |payment |full |whole |entire |new |other |long |plastic )*(?:card|cc|plastic)(?:'s)? {NUMBER}",
    rf"(?:all |full |whole |the |those )*(?:16|15|19) ?-?(?:digits?|numbers?|figures?)(?: (?:card )?{NUMBER})?",
    r"all (?:the |of the |of those )?(?:16|15)", rf"long (?:{NUMBER}|1 (?:on|across|at) the front)",
    rf"(?:long |full |whole |big )?{NUMBER} (?:\w+ )?(?:on|from|across|off|of) (?:the front|{THE} (?:\w+ )?{_CARD})",
    rf"(?:car|guard) {NUMBER}", rf"(?:{_CARD}|(?:the|that|your|my|new|old|other) 1) (?:ending|that ends|that ended)(?: in| with)?",
    rf"account number on {THE} card",
    r"(?:card|visa|mastercard|amex) (?:is|it's|starts?|starting|begins?|beginning|ends?)(?: (?:with|in))?", r"charge (?:it )?to",
    r"card (?:details|info|information|digits)", r"(?:credit|debit) cards?", rf"(?:read|reading) (?:\w+ )?{THE} card",
)
"""What names the card's long number."""

CARDS = (
    r"(?:a |my |our |your )?visa(?: card)?", r"master ?card", r"amex", r"american express", r"discover card", r"union ?pay", r"maestro", r"j c b",
    r"jcb",
)
"""Cards by their names, as good as their number."""

A_CARD = (r"cards?", r"card's", r"a discover", r"discover", r"diners(?: club)?", r"(?:credit or )?debit(?: or credit)?", r"on credit",
r"cardholder", r"plastic")
"""That somebody speaks of a card."""

_DATED = r"(?:month|year|date|dates)"

EXPIRY_DATE = (
    rf"expir\w*(?: (?:{_DATED}|on (?:the|it|that|your|my) ?(?:card)?))*", r"exp(?: date)?", r"experation(?: date)?",
    r"(?:valid|good|expires?) (?:thru|through|until|till|to|til)", r"month and (?:the )?year", r"m m y y", r"mm ?/? ?yy",
    rf"(?:card|card's|cards|visa|plastic) (?:\w+ )?{_DATED}", rf"{_DATED} (?:\w+ ){{0,2}}(?:on|of|off|from|for) {THE} (?:\w+ )?{_CARD}",
)
"""What names the month and year in which the card ends."""

AT_A_PAYMENT_CODE = (
    rf"(?:on|at|off|over) (?:{THE} )?(?:very )?{_BACK}(?: of (?:it|that|this)|{_NOT_OF})",
    rf"the (?:very )?{_BACK}(?: of (?:it|that|this)|{_NOT_OF})", rf"(?:by|near|beside|under|next to|behind|above|after) (?:{THE} )?{_SIGNED}",
    r"(?:flip|turn|flipped|turned|flipping|turning) (?:it|her|him|that|this|them) (?:over|around|round)",
    rf"(?:those|these|the|and|{_SMALL}) (?:{_SMALL} )*{_SHORT} (?:{_SMALL} )*{_DIGITS}", rf"{_SHORT} (?:{_SMALL} )+{_DIGITS}",
    rf"(?:it's|its|be|are|is|just|need|get|and|with|then|other|more) {_SHORT} (?:more )?{_DIGITS}",
    rf"{_DIGITS} behind",
)
"""Where on a card the code stands, and how long it is."""

_OTHERS = r"(?<!event )(?<!wedding )(?<!policy )(?<!coverage )(?<!effective )(?<!start )(?<!loss )(?<!party )"

AT_A_PAYMENT_EXPIRY = (
    rf"{_OTHERS}(?:end|ending|ends|expiry|thru|through|good|last|its|it's|card) {_DATED}(?! of (?:the|your|my) (?:policy|coverage|event|"
    rf"wedding|loss|party))",
    rf"{_DATED} (?:\w+ )?(?:on|of|off|for) (?:it|there|that 1|this 1|her|him|yours|that|the front)(?! \w+ (?:policy|event|wedding|loss))",
    rf"{_DATED} (?:it|she|he|that) (?:runs?|ends?|dies|lapses|stops|quits|goes|finishes|is|conks)(?: (?:out|till|until|to|off))*",
    r"(?:runs?|run|running|ran) (?:out|until|till|to|through|thru)", r"(?<!\w )?(?:thru|good thru)",
    r"(?:it|she|card|that|1|visa|mastercard) (?:will )?(?:ends?|dies|lapses|stops|quits|finishes)(?: (?:in|on|with|at))?",
    r"(?:does|do|will|is|'s) (?:it|that|this|she|he|the card|your card|that 1|this 1|yours) (?:end|die|lapse|stop|quit|finish|run out|"
    r"go out|good|valid|up)(?: (?:for|till|until|to|through|in))?",
    r"(?:until|till|til) (?:when|what)", r"how long is (?:it|that) (?:good|valid)(?: for)?",
)
"""How its end is spoken of."""
