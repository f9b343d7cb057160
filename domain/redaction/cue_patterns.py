"""The words that tell what a number near them is, as patterns over the text of spoken_numbers. How they are used: cues.

Where several match the same words, the one that is listed first stands.
"""

from enum import StrEnum

from domain.redaction.card_cue_patterns import (
    A_CARD,
    AT_A_PAYMENT_CODE,
    AT_A_PAYMENT_EXPIRY,
    CARD_NUMBER,
    CARDS,
    EXPIRY_DATE,
    NUMBER,
    SECURITY_CODE,
)
from domain.redaction.numbers_of_things import ANY_NUMBER
from domain.redaction.shapes import Sensitive


class Harmless(StrEnum):
    """What numbers are that may be kept."""

    IDENTIFIER = "identifier"  # of a policy, a claim, a quote, a licence
    AMOUNT = "amount"
    COUNT = "count"
    DATE = "date"  # of an event, a loss, a document
    TIME = "time"
    ADDRESS = "address"  # house numbers, zip codes
    NAME = "name"  # spelled
    CODE = "code"  # of a gate, a voucher, a login
    NOTHING = "nothing"  # words that are like a cue and are none


# fmt: off
_N = NUMBER

PATTERNS: tuple[tuple[Sensitive | Harmless, bool, tuple[str, ...]], ...] = (
    (
        Harmless.NAME,
        False,
        (
            r"(?:insurance|i d|id|identification|business|membership|member|green|report|library|place|wild|score|pharmacy|drug|rx|"
            r"prescription|medical|health|dental|medicare|medicaid|rewards?|loyalty|points|sim|memory|sd|greeting|birthday|thank you|"
            r"post|punch|time|key|proof|vaccine) card(?:s|'s)?",
        ),
    ),
    (
        Harmless.NOTHING,
        False,
        (
            r"(?:on|over|by|off|answer|hang up|answering|picked up) (?:the|my|your|a) (?:phone|telephone|cell)",
            r"in \w+ (?:phone|cell)", r"phone (?:call|line|lines|book|screen|bill)",
            r"mobile (?:homes?|app|unit|bar|kitchen|stage|deposit|park)", r"cell (?:tower|service|coverage|reception)",
            r"back (?:yard|door|room|office|seat|porch|deck|patio|then)",
            r"(?:the|in|at) back of (?:the|my|our) (?:house|hall|room|building|venue|restaurant|store|truck|van)", r"come back",
            r"in (?:any |that |which )?case",
            r"on (?:file|record)", r"credit (?:union|score|history|report)s?", r"discovered", r"out of date", r"up to date",
            r"to date", r"save the date",
        ),
    ),
    (
        Harmless.CODE,
        True,
        (
            r"(?:gate|promo|promotion|promotional|discount|coupon|voucher|access|door|dress|building|entry|referral|offer|"
            r"agent|partner|qr|billing|venue|booking|alarm|reset|login|event|bar|fire|error|activation|unlock|product|item|color|paint|key|"
            r"trouble|diagnostic|recall|invite|registration|tracking|producer|class|state) code",
        ),
    ),
    (
        Harmless.CODE,
        True,
        (
            r"(?:code|pin) (?:we|i|they|that was|that we|that i)(?:'ve| have| just|'ll)* (?:sent|texted|emailed|send|text)",
            r"code (?:you|he|she) (?:gave|sent|texted|told|have|got)",
            r"(?:tele\w*|phone|voice|voicemail|account|online|web|portal|access|login|user|new|keypad|alarm|atm) (?:pin|passcode|password)s?",
            r"one time (?:code|passcode|password)",
        ),
    ),
    (
        Harmless.ADDRESS,
        True,
        (
            r"(?:zip|postal|post) ?codes?", r"zip", r"zips",
        ),
    ),
    (Sensitive.DATE_OF_BIRTH, False, (r"(?:and )?(?:the|what|which) (?:year|month|day)(?=$)", r"and (?:yours|his|hers|theirs)")),
    (
        Sensitive.EMAIL,
        False,
        (r"sen[dt] (?:it|that|this|them|you|the \w+)(?: over)? to(?=$)", r"where (?:should|do|can|shall|would) \w+ (?:\w+ )?(?:send|email)"),
    ),
    (
        Harmless.DATE,
        True,
        (
            r"birthday (?:party|bash|celebration|dinner|event|brunch|lunch|weekend|bowling|picnic|barbecue)", r"a birthday for",
            r"\d+(?:st|nd|rd|th)? birthday", r"(?:surprise|milestone|sweet) birthday",
            r"(?:for|(?<!born )on|before|after|since|until|till|by|of) (?:his|her|my|our|their|a|\w+'s) (?:\w+ )?birthday",
        ),
    ),
    (
        Harmless.IDENTIFIER,
        True,
        (
            r"social media", r"social (?:event|gathering|hour|club|hall|distanc\w+|worker|function)",
        ),
    ),
    (
        Sensitive.SSN,
        True,
        (
            r"social security(?: number| card)?", r"ssn", r"s s n", r"ss(?: number)?", r"socials?(?! security)",
            r"tax(?:payer)? (?:id|i d|identification)(?: number)?",
        ),
    ),
    (Sensitive.SECURITY_CODE, True, SECURITY_CODE),
    (Sensitive.CARD_NUMBER, True, CARD_NUMBER),
    (Sensitive.CARD_NUMBER, True, CARDS),
    (Sensitive.CARD_NUMBER, False, A_CARD),
    (Sensitive.EXPIRY_DATE, True, EXPIRY_DATE),
    (Sensitive.SECURITY_CODE, True, AT_A_PAYMENT_CODE),
    (Sensitive.EXPIRY_DATE, True, AT_A_PAYMENT_EXPIRY),
    (
        Sensitive.BANK_ACCOUNT,
        True,
        (
            rf"routing(?: and account)?(?: {_N})?",
            rf"(?:bank|business|joint|brokerage|escrow|deposit|draft|money market|checking|chequing|savings|checkings) (?:account|acct)(?: {_N})?",
            rf"account {_N}", rf"acct(?: {_N})?", rf"aba(?: {_N})?", rf"a b a(?: {_N})?", rf"transit {_N}",
            r"bank(?:ing)? (?:details|information|info)", r"bottom (?:\w+ ){0,2}checks?",
            r"numbers? (?:from|off|at|along|across|printed on) (?:\w+ ){1,3}checks?(?! number)",
            rf"(?:checking|savings|chequing) {_N}", rf"{_N} (?:\w+ ){{0,3}}bottom(?: left| right)?", r"line at the bottom",
            r"void(?:ed)? checks?", r"numbers? on (?:the|your|my|that|a) checks?", r"iban",
        ),
    ),
    (
        Sensitive.BANK_ACCOUNT,
        False,
        (
            r"checking", r"savings", r"direct deposit", r"ach", r"a c h", r"bank", r"account", r"electronic transfer", r"e check",
            r"void(?:ed)? check",
        ),
    ),
    (
        Sensitive.DATE_OF_BIRTH,
        True,
        (
            r"dates? of births?", r"birth ?dates?", r"b(?:irth)?days?", r"(?<!first )(?<!natural )(?<!new )born(?! and| to)(?: on| in)?",
            r"d o b", r"dobs?", r"(?:the |and |what )month and (?:the )?day",
            r"day and (?:the )?month", r"day of birth", r"year of birth",
            r"birth (?:year|month|day)", r"births?",
        ),
    ),
    (
        Sensitive.EMAIL,
        True,
        (
            r"e ?-?(?:mails?|males?)(?: address(?:es)?)?(?: addresses)?",
        ),
    ),
    (
        Sensitive.PHONE,
        True,
        (
            r"(?:tele|cell ?|mobile |home |work |office |day ?time |contact |best |call ?back |call back |fax )*(?:phone|cell|"
            rf"cellphone|mobile|telephone|landline|fax)(?: {_N})?",
            r"(?:home|work|office|day ?time|evening|contact|best|call ?back|call back|emergency|direct|another|alternate|"
            rf"alternative|backup|her|his|husband's|wife's|their|international|local|foreign|shop's|venue's) (?:phone )?{_N}",
            rf"{_N} (?:to|where|i can|we can|for)(?: \w+)? (?:call|reach|text|contact|you|back)(?: you)?(?: back)?",
            r"call(?:ing)? (?:me|you|us|him|her|them|back)?(?: back)? ?(?:at|on)",
            r"(?:get|catch|find|ring|text|phone|try|have) (?:me|you|her|him|them|us) (?:at|on)(?= (?:\S+ )?\d)",
            r"(?:me|you|her|him|them) a (?:call|ring|buzz)(?: back)?(?: (?:at|on))",
            r"reach(?:ed)? (?:me|you|us|him|her|them)(?: back)?(?: (?:at|on))?", r"(?:area|country|dialing|dialling) code",
            r"(?:in touch|touch base|get ahold|contact) (?:with|of|you|her|him|them|me)(?: \w+)?(?: (?:at|on))?",
            r"(?:claims?|help|support|hot|service|customer service) (?:line|desk)",
            r"(?:main|direct|toll ?free|emergency) (?:line|number)", r"toll ?free", r"text (?:me|you|him|her)(?: at)?",
            r"get hold of",
        ),
    ),
    (
        Harmless.IDENTIFIER,
        True,
        (
            r"(?:polic(?:y|ies)|claims?|confirmation|reference|quote|case|ticket|order|invoice|certificate|booking|member|"
            r"membership|group|agent|agency|licen[sc]e|permit|plate|registration|passport|id|identification|tracking|serial|"
            r"vin|file|report|badge|contract|customer|application|transaction|authori[sz]ation|approval|check|cheque|"
            r"extension|receipt|room|unit|suite|flight|reservation|event|form|employee|incident|police report|loss|docket|"
            r"producer|npn|ein|tax|adjuster|job|lot|seat|table|bus|batch|version|model|endorsement|section|page|clause|"
            rf"option|zoom|meeting|webinar|conference)(?:'s)? (?:{_N}|id|i d|code|reference)",
        ),
    ),
    (
        Sensitive.PHONE,
        True,
        (
            r"numbers? (?:to|where|i|we|that|for)(?: \w+){0,4}? (?:call|reach|text|contact|back)(?: \w+)?(?: back)?",
        ),
    ),
    (
        Harmless.IDENTIFIER,
        True,
        (
            r"numbers? (?:for|of|on|off) (?:the|your|my|our|this|that|his|her) (?:\w+(?:'s)? ){0,2}(?:file|policy|claim|case|quote|order|"
            r"report|invoice|ticket|booking|package|parcel|permit|form|title|plate|tag|letter|certificate)",
        ),
    ),
    (Harmless.IDENTIFIER, True, ANY_NUMBER),
    (Sensitive.PHONE, True, (r"numbers? (?:to|for) (?:you|her|him|them|us|me|the \w+|your \w+|my \w+)",)),
    (
        Harmless.IDENTIFIER,
        False,
        (
            r"polic(?:y|ies)", r"claims?", r"confirmation", r"reference", r"quotes?", r"case", r"ticket", r"order", r"invoice",
            r"certificate", r"booking", r"passport", r"licen[sc]e", r"extension", r"suite", r"room", r"form", r"file", r"article",
            r"section",
            r"clause", r"page", r"route", r"highway", r"interstate", r"version", r"tracking", r"vin", r"serial",
            r"group", r"member(?:ship)?", r"rewards?", r"loyalty", r"lot", r"(?:micro)?chip", r"model", r"parcel", r"meter", r"photos?", r"rx",
            r"bin", r"wire", r"docket", r"permit", r"plate", r"registration",
        ),
    ),
    (
        Harmless.AMOUNT,
        True,
        (
            r"dollars?", r"cents", r"bucks", r"usd", r"price[sd]?", r"premiums?", r"deductibles?", r"costs?", r"total", r"fee", r"fees",
            r"limits?", r"budget", r"comes to", r"per (?:person|guest|day|head|event|occurrence|month|year)", r"balance", r"refund",
            r"amount", r"deposit of", r"paid", r"pay", r"percent", r"payout", r"aggregate", r"million", r"coverage", r"charged?", r"worth",
            r"tax", r"estimate", r"bill", r"payments?",
        ),
    ),
    (
        Harmless.COUNT,
        True,
        (
            r"how many", r"guests?", r"people", r"attendees", r"headcount", r"head count", r"vendors", r"players", r"tables", r"chairs",
            r"capacity", r"square feet", r"staff", r"kids", r"children", r"bartenders",
        ),
    ),
    (
        Harmless.TIME,
        True,
        (
            r"what time", r"o'clock", r"a m", r"p m", r"am", r"pm", r"noon", r"midnight", r"starts? at", r"ends? at", r"begins? at",
            r"opens? at", r"doors", r"until(?! when)", r"half past", r"quarter",
        ),
    ),
    (
        Harmless.DATE,
        True,
        (
            r"(?:event|wedding|effective|start|end|loss|cancellation|renewal|due|closing|inception|rental|ceremony|party|what|"
            r"which|new|purchase|accident|incident|issue|reception) dates?",
            r"dates? of (?:the |your |my |our )?(?:event|loss|wedding|accident|incident|party|service|purchase|ceremony|reception|issue|"
            r"claim|damage)",
            r"what day",
            r"when is", r"when's", r"when was", r"when did", r"when does", r"wedding", r"graduation", r"anniversary", r"happened",
            r"effective", r"appointment", r"deadline", r"scheduled", r"reception", r"ceremony", r"rehearsal", r"quinceanera", r"party",
            r"gala", r"conference", r"festival", r"event", r"concert", r"what year", r"the year", r"founded", r"built", r"married",
        ),
    ),
    (
        Harmless.DATE,
        False,
        (
            r"weekend", r"today", r"tomorrow", r"yesterday", r"monday", r"tuesday", r"wednesday", r"thursday", r"friday", r"saturday",
            r"sunday", r"wired", r"mailed", r"moved", r"renew\w*", r"signed",
            r"accident", r"incident", r"loss", r"storm", r"fire", r"crash", r"theft",
        ),
    ),
    (
        Harmless.ADDRESS,
        True,
        (
            r"(?<!mail )(?<!email )address(?:es)?", r"street", r"avenue", r"road", r"boulevard", r"drive", r"lane", r"apartment", r"apt",
            r"venue", r"located", r"county", r"mailing", r"p o box", r"po box", r"court", r"parkway", r"live at", r"lives at",
        ),
    ),
    (
        Harmless.NAME,
        True,
        (
            r"(?:first|last|full|middle|maiden|family|sur|business|company|venue) ?names?", r"spell (?:your|the|that) (?:\w+ )?name",
            r"surname", r"my name(?:'s| is)?", r"your name",
        ),
    ),
    (
        Sensitive.PHONE,
        False,
        (
            r"call ?back", r"(?:call(?:ing)?|ring|text|phone)(?= \d)", r"dial", r"good number", r"call(?:ing)? from",
            r"left (?:a|his|her|their|the|me a) number", r"returning (?:a|your) call",
            r"(?:your|my|her|his|their|a|what|which|new|old|current|other) number", r"what'?s? (?:is )?the number",
        ),
    ),
    (Sensitive.SSN, False, (r"last 4(?: digits)?(?: of)?(?! your card)", r"special security", r"social security")),
    (
        Sensitive.SECURITY_CODE,
        False,
        (
            r"last 3(?: digits)?", r"(?:the |and |last |final )+(?:3|4)(?= ?$)", r"code", r"pin(?: number)?", r"security",
            r"digits on it", r"(?:on|in|at|off) (?:the )?front", r"the back", r"the reverse", r"other side", r"flip side",
        ),
    ),
    (
        Sensitive.EXPIRY_DATE,
        False,
        (
            r"(?:the |and )?dates?(?: on (?:it|that|the card|the front))?", r"runs? out", r"(?:un)?till? when", r"what month",
            r"good (?:un)?till?", r"good for", r"valid",
        ),
    ),
)
"""(what, whether the cue names the value itself, alternatives)."""

AT_A_PAYMENT = (AT_A_PAYMENT_CODE, AT_A_PAYMENT_EXPIRY)
"""Of these, those that say something only while a card is talked about."""
