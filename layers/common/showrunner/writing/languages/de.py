"""German."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="de",
    stopwords=words(
        """ab aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus
        bei beim beide beiden bereits besonders bin bis bisher bist da dabei dadurch dafür dagegen daher dahin damals
        damit danach daneben dann daran darauf daraus darin darüber darum darunter das dass davon davor dazu dein
        deine dem den denen denn dennoch der deren des deshalb dessen desto die dies diese diesem diesen dieser dieses
        doch dort drei du durch dürfen ebenso ein eine einem einen einer eines einige einigen einmal er erst erste
        ersten es etwa etwas euch fast für ganz gar gegen genau gibt gut habe haben hat hatte hatten her heute hier
        hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im immer in indem innerhalb ins ist ja jede
        jedem jeden jeder jedes jedoch jetzt kann kaum kein keine keinem keinen keiner können könnte lange lassen
        machen macht man manche mehr mein meine meisten mit mittels müssen muss musste nach nachdem neben nein nicht
        nichts nie noch nun nur ob oben oder oft ohne schon sehr sei sein seine seinem seinen seiner seines seit
        selbst sich sie sind so sobald sogar solche solchen soll sollen sollte sondern sonst soweit sowie später
        statt über um und uns unser unsere unter viel viele vielen vom von vor während war waren warum was wegen weil
        weit weiter welche welchem welchen welcher welches wenig wenige wenn wer werde werden wie wieder will wir wird
        wo wobei wohl worden wurde wurden zu zum zur zwar zwei zwischen jahr jahre jahren"""
    ),
    dependent=words(
        """dies diese diesem diesen dieser dieses er sie es ihm ihn ihnen ihr ihre ihren sein seine aber jedoch doch
        deshalb daher darum also dann danach dabei dadurch dafür dagegen damit daran darauf daraus darin darüber davon
        dazu dort hier so solche solcher auch und oder denn dennoch trotzdem allerdings außerdem zudem ebenso
        hingegen schließlich zweitens drittens letztere beide sonst somit folglich das jener jene jenes stattdessen"""
    ),
    pointing=words("später auch dieselbe derselbe dasselbe denselben ebenfalls letztere erstere dieser diese dieses"),
    first_person=words("ich mir mich mein meine meinen meinem meiner wir"),
    conjunction="und",
    quotes=("„", "“"),
    articles=frozenset(),
    prepositions=frozenset(),
    plural_endings=("ern", "en", "er", "es", "em", "e", "n", "s"),
    avoid=r"(?:niemals|nie|nicht|vermeide|vermeidet|kein wort|meide)\b(?: (?:über|das thema|von))* (.+?)"
    r"(?: (?:erwähnen|sprechen|reden|nennen))?[.!]?$",
    audience=r"(?:nenne|nennt|sprich|sprecht)(?: (?:die|unsere|eure|deine))? (?:hörer|hörerinnen|zuhörer|publikum)\S*"
    r"(?: mit| als)? (.+)",
    opening=r"(?:beginne|beginnt|eröffne|eröffnet|starte)(?: (?:die sendung|jede folge|immer))* mit (.+)",
    ending=r"(?:ende|endet|schließe|schließt|beende|beendet)(?: (?:die sendung|jede folge|immer))* mit (.+)",
    phrases={
        "greeting": (
            "Hallo und willkommen bei {show}. Ich bin {me}.",
            "Willkommen bei {show}. Mein Name ist {me}, schön, dass Sie da sind.",
            "Das ist {show}, und ich bin {me}. Danke, dass Sie zuhören.",
        ),
        "greeting_audience": (
            "Hallo, {audience}, und willkommen bei {show}. Ich bin {me}.",
            "Willkommen bei {show}, {audience}. Mein Name ist {me}.",
        ),
        "second_host": (
            "Und ich bin {me}. Unser Thema heute: {title}.",
            "Ich bin {me}, hallo. Die Folge von heute heißt: {title}.",
            "Hallo auch von mir, ich bin {me}. Diesmal geht es um Folgendes: {title}.",
        ),
        "subject": ("Unser Thema heute: {title}.", "Die Folge von heute heißt: {title}.", "Heute: {title}."),
        "overview": (
            "Wir kommen zu {titles}.",
            "Das haben wir für Sie: {titles}.",
            "Unsere Stationen heute sind {titles}.",
        ),
        "credit": (
            "Was Sie gleich hören, stammt aus {sources}.",
            "Wir stützen uns dabei auf {sources}.",
            "Alles, was wir heute erzählen, ist entnommen aus {sources}.",
        ),
        "section": (
            "Kommen wir zum nächsten Thema: {title}. {other}, womit fangen wir an?",
            "Das bringt uns hierzu: {title}. Was müssen wir wissen, {other}?",
            "Als Nächstes auf unserer Liste: {title}. {other}, beginnst du?",
            "Zeit für das nächste Kapitel: {title}. Was gibt es zu erzählen, {other}?",
            "Wir gehen weiter. Die Überschrift lautet: {title}. {other}, du zuerst.",
            "Schlagen wir die nächste Seite auf: {title}. Wie fängt es an, {other}?",
        ),
        "section_first": (
            "Beginnen wir hiermit: {title}. {other}, womit fangen wir an?",
            "Zuerst auf unserer Liste: {title}. {other}, was sollten wir wissen?",
            "Hier fangen wir an: {title}. Wie beginnt es, {other}?",
        ),
        "section_question": (
            "Die nächste Frage lautet: {title} {other}, was wissen wir?",
            "Und da stellt sich eine Frage, {other}: {title}",
            "Also, {other}, die Frage ist diese: {title}",
        ),
        "section_alone": (
            "Wir kommen zum nächsten Thema: {title}.",
            "Als Nächstes: {title}.",
            "Weiter geht es hiermit: {title}.",
            "Das nächste Kapitel: {title}.",
            "Wir schlagen die nächste Seite auf: {title}.",
        ),
        "section_question_alone": ("Die nächste Frage lautet: {title}", "Und nun diese Frage: {title}"),
        "attribution": (
            "Laut {source} gilt: {fact}",
            "In {source} lesen wir: {fact}",
            "Bei {source} finden wir dies: {fact}",
            "Das hier stammt aus {source}: {fact}",
            "Aus {source} nehmen wir mit: {fact}",
        ),
        "attribution_only": (
            "Unsere Quelle sagt es so: {fact}",
            "In unserer Quelle heißt es: {fact}",
            "So erzählt es unsere Quelle: {fact}",
        ),
        "quotation": (
            "In den Worten von {source}: {fact}",
            "Und ich zitiere {source}: {fact}",
            "Wörtlich aus {source}: {fact}",
        ),
        "reaction": (
            "Gut zu wissen.",
            "Verstehe.",
            "Das hilft.",
            "Bleiben wir dabei.",
            "Das merken wir uns.",
            "In Ordnung.",
            "Danke, {other}.",
            "Dazu habe ich noch mehr.",
            "Da ergänze ich etwas.",
            "Da mache ich weiter.",
            "Ist notiert.",
            "Gut, hier ist mein Teil.",
        ),
        "new_point": (
            "Es gibt noch mehr:",
            "Noch ein Punkt:",
            "Eine weitere Einzelheit:",
            "Und noch etwas:",
            "Hier ist der nächste Teil:",
            "Ein weiterer Gedanke:",
            "Auch das gehört dazu:",
        ),
        "onward": (
            "Es geht so weiter:",
            "Weiter im Text:",
            "Und weiter:",
            "Dann lesen wir:",
            "Der nächste Schritt:",
        ),
        "question_new": (
            "Was wissen wir noch, {other}?",
            "Und darüber hinaus, {other}?",
            "{other}, was gibt es noch?",
            "Was sollten wir ergänzen?",
            "Und das nächste Stück, {other}?",
            "Was gehört noch hierher, {other}?",
            "{other}, was ist dein nächster Punkt?",
        ),
        "question_onward": (
            "Was kommt als Nächstes, {other}?",
            "Wie geht es weiter?",
            "Übernimmst du von hier, {other}?",
            "{other}, du bist dran.",
            "Was ist der nächste Schritt?",
            "Machst du weiter, {other}?",
        ),
        "term_question": ("Und das Stichwort {term}, {other}?",),
        "recap": (
            "Damit ist unsere Zeit für heute um. Wir haben gehört von {titles}.",
            "Blicken wir kurz zurück. Wir kamen vorbei an {titles}.",
            "Zusammengefasst waren dies unsere Stationen: {titles}.",
        ),
        "last_thought": (
            "Einen letzten Gedanken zum Mitnehmen: {fact}",
            "Und damit wollen wir schließen: {fact}",
            "Das geben wir Ihnen noch mit: {fact}",
        ),
        "sign_off": (
            "Das war {show}. Danke fürs Zuhören.",
            "Danke, dass Sie Ihre Zeit mit {show} verbracht haben.",
            "So viel für heute von {show}. Schön, dass Sie dabei waren.",
        ),
        "goodbye": (
            "Danke auch von mir. Bis zum nächsten Mal.",
            "Auf Wiederhören auch von mir, und machen Sie es gut.",
            "Bis zur nächsten Folge. Auf Wiederhören.",
        ),
        "many": ("unter anderem {titles}",),
        "summary": ("In dieser Folge: {titles}. Nach {sources}.",),
        "note": ("Notiz zur Planung: {note}",),
        "memory": ("Ständiger Wunsch der Sendung: {note}",),
        "introduction": ("Willkommen",),
        "closing": ("Zum Schluss",),
        "another_angle": ("{title}: {term}", "{title}: mehr über {term}"),
        "answer_none": ("Das sagt diese Folge nicht. Weder sie noch ihre Quellen sprechen davon.",),
        "source": ("unsere Quelle",),
    },
)
