"""Spanish."""

from showrunner.writing.languages import Language, words

LANGUAGE = Language(
    code="es",
    stopwords=words(
        """a además ahora al algo algún alguna algunas alguno algunos allí ambos ante antes aquel aquella aquellos aquí
        así aún aunque bajo bastante bien cada casi como cómo con contra cual cuáles cuando cuándo cuanto cuya cuyo de
        debe deben debido del desde después donde dónde dos durante e el él ella ellas ello ellos en encima entonces
        entre era eran es esa esas ese eso esos esta está están estaba estar estas este esto estos estuvo fue fueron
        gran grande grandes ha haber había habían hace hacen hacer hacia hasta hay he hizo hoy incluso iba jamás junto
        la las le les lo los luego mayor mayoría me media medio mejor menos mi mía mientras mis misma mismas mismo
        mismos mucha muchas mucho muchos muy nada ni ningún ninguna no nos nosotros nuestra nuestras nuestro nuestros
        nunca o otra otras otro otros para parte pero poca poco pocos podía por porque pues puede pueden que qué quien
        quién quienes sea sean según ser si sí sido siempre sin sino sobre sólo solo son su sus suya suyo tal también
        tampoco tan tanto te tendrá tener tenía tiene tienen toda todas todavía todo todos tras tres tu un una unas
        uno unos usted va varias varios ve veces vez y ya yo año años"""
    ),
    dependent=words(
        """este esta esto estos estas ese esa eso esos esas aquel aquella él ella ellos ellas su sus pero sin embargo
        por así entonces luego después también además y o e pues aunque tampoco allí aquí ahí otro otra otros ambos
        ambas tal tales finalmente segundo tercero por mientras incluso lo le les cada porque"""
    ),
    pointing=words("mismo misma mismos mismas también este esta estos estas ello luego último tampoco embargo ambos"),
    first_person=words("yo mi mis me mí conmigo nosotros nosotras"),
    conjunction="y",
    quotes=("«", "»"),
    articles=words("el la los las"),
    prepositions=words("en de desde hacia por para con a sobre hasta cerca del al"),
    plural_endings=("es", "as", "os", "s", "a", "o", "e"),
    avoid=r"(?:nunca|jamás|no|evita|evite|evitar|evitad)\b(?: (?:menciones|mencionar|mencione|hables|hablar|hable|de|"
    r"del|sobre|la|el|los|las))* (.+)",
    audience=r"(?:llama|llame|llamad|llamar)(?: (?:a|al|a los|a las|a nuestros|los|las))* (?:oyentes|audiencia|público)"
    r" (.+)",
    opening=r"(?:empieza|empiece|comienza|comience|abre|abra)(?: (?:el programa|cada episodio|siempre))* con (.+)",
    ending=r"(?:termina|termine|acaba|acabe|cierra|cierre)(?: (?:el programa|cada episodio|siempre))* con (.+)",
    phrases={
        "greeting": (
            "Hola y bienvenidos a {show}. Soy {me}.",
            "Bienvenidos a {show}. Me llamo {me} y me alegra que estéis aquí.",
            "Esto es {show}, y yo soy {me}. Gracias por acompañarnos.",
        ),
        "greeting_audience": (
            "Hola, {audience}, y bienvenidos a {show}. Soy {me}.",
            "Bienvenidos a {show}, {audience}. Me llamo {me}.",
        ),
        "second_host": (
            "Y yo soy {me}. Nuestro tema de hoy: {title}.",
            "Soy {me}, hola. El episodio de hoy se titula: {title}.",
            "Hola también de mi parte, soy {me}. Esta vez hablamos de esto: {title}.",
        ),
        "subject": ("Nuestro tema de hoy: {title}.", "El episodio de hoy se titula: {title}.", "Hoy: {title}."),
        "overview": (
            "Llegaremos a {titles}.",
            "Esto es lo que os traemos: {titles}.",
            "Nuestras paradas de hoy son {titles}.",
        ),
        "credit": (
            "Lo que vais a oír procede de {sources}.",
            "Nos apoyamos en {sources}.",
            "Todo lo que contamos hoy está tomado de {sources}.",
        ),
        "section": (
            "Pasemos al siguiente tema: {title}. {other}, ¿por dónde empezamos?",
            "Eso nos lleva a esto: {title}. ¿Qué hay que saber, {other}?",
            "Lo siguiente de nuestra lista: {title}. {other}, ¿empiezas tú?",
            "Es hora del siguiente capítulo: {title}. ¿Qué hay que contar, {other}?",
            "Avanzamos. El título dice: {title}. {other}, tú primero.",
            "Abramos la página siguiente: {title}. ¿Cómo empieza, {other}?",
        ),
        "section_first": (
            "Empecemos por esto: {title}. {other}, ¿por dónde empezamos?",
            "Lo primero de nuestra lista: {title}. {other}, ¿qué debemos saber?",
            "Aquí empezamos: {title}. ¿Cuál es el comienzo, {other}?",
        ),
        "section_question": (
            "Esta es la siguiente pregunta: {title} {other}, ¿qué sabemos?",
            "Y eso plantea una pregunta, {other}: {title}",
            "Bien, {other}, la pregunta es esta: {title}",
        ),
        "section_alone": (
            "Llegamos al siguiente tema: {title}.",
            "A continuación: {title}.",
            "Seguimos con esto: {title}.",
            "El siguiente capítulo: {title}.",
            "Pasamos la página: {title}.",
        ),
        "section_question_alone": ("Esta es la siguiente pregunta: {title}", "Y ahora, esta pregunta: {title}"),
        "attribution": (
            "Según {source}: {fact}",
            "Leemos en {source}: {fact}",
            "En {source} encontramos esto: {fact}",
            "Esto procede de {source}: {fact}",
            "De {source} tomamos esto: {fact}",
        ),
        "attribution_only": (
            "Nuestra fuente lo dice así: {fact}",
            "Según nuestra fuente: {fact}",
            "Así lo cuenta nuestra fuente: {fact}",
        ),
        "quotation": (
            "Con las palabras de {source}: {fact}",
            "Y cito {source}: {fact}",
            "Citamos directamente {source}: {fact}",
        ),
        "reaction": (
            "Es bueno saberlo.",
            "Ya veo.",
            "Eso ayuda.",
            "Sigamos con eso.",
            "Conviene recordarlo.",
            "De acuerdo.",
            "Gracias, {other}.",
            "Tengo más sobre eso.",
            "Añado algo.",
            "Lo retomo yo.",
            "Queda anotado.",
            "Bien, aquí va mi parte.",
        ),
        "new_point": (
            "Hay más:",
            "Un punto más:",
            "Otro detalle:",
            "Y otra cosa:",
            "Esta es la parte siguiente:",
            "Algo más:",
            "Esto también cuenta:",
        ),
        "onward": ("Sigue así:", "Continuamos:", "Y sigue:", "Luego leemos:", "El paso siguiente:"),
        "question_new": (
            "¿Qué más sabemos, {other}?",
            "¿Y más allá de eso, {other}?",
            "{other}, ¿qué más hay?",
            "¿Qué deberíamos añadir?",
            "¿Y la pieza siguiente, {other}?",
            "¿Qué más va aquí, {other}?",
            "{other}, ¿cuál es tu siguiente punto?",
        ),
        "question_onward": (
            "¿Qué viene después, {other}?",
            "¿Cómo sigue?",
            "¿Sigues desde aquí, {other}?",
            "{other}, te toca.",
            "¿Cuál es el paso siguiente?",
            "¿Continúas, {other}?",
        ),
        "term_question": (
            "¿Y {term}, {other}?",
            "{other}, ¿qué sabemos sobre {term}?",
            "¿Qué dice nuestra fuente sobre {term}?",
        ),
        "recap": (
            "Se nos acaba el tiempo. Hemos hablado de {titles}.",
            "Miremos atrás un momento. Hemos pasado por {titles}.",
            "En resumen, estas fueron nuestras paradas de hoy: {titles}.",
        ),
        "last_thought": (
            "Una última idea para llevarse: {fact}",
            "Y con esto terminamos: {fact}",
            "Os dejamos con esto: {fact}",
        ),
        "sign_off": (
            "Esto ha sido {show}. Gracias por escuchar.",
            "Gracias por pasar este rato con {show}.",
            "Hasta aquí {show} por hoy. Ha sido un placer teneros con nosotros.",
        ),
        "goodbye": (
            "Gracias también de mi parte. Hasta la próxima.",
            "Adiós también de mi parte, y cuidaos.",
            "Hasta el próximo episodio. Adiós.",
        ),
        "many": ("entre otras cosas {titles}",),
        "summary": ("En este episodio: {titles}. Según {sources}.",),
        "note": ("Nota de planificación: {note}",),
        "memory": ("Deseo permanente del programa: {note}",),
        "introduction": ("Bienvenida",),
        "closing": ("Para terminar",),
        "another_angle": ("{title}: {term}", "{title}: más sobre {term}"),
        "answer_none": ("Este episodio no lo cuenta. Ni él ni sus fuentes hablan de eso.",),
        "source": ("nuestra fuente",),
    },
)
