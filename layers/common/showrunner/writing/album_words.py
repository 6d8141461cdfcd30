"""The words that offline albums are made of: worlds by the words of a niche, tempers by the words of a mood."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class World:
    """`stems` are how words begin that mean it; a place is `Title|as it is painted`."""

    stems: tuple[str, ...]
    places: tuple[str, ...]
    details: tuple[str, ...]
    instruments: tuple[str, ...]
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Temper:
    """`minor` is how many of ten keys are minor; `tempo` the range in beats per minute."""

    stems: tuple[str, ...]
    tempo: tuple[int, int]
    minor: int
    playing: tuple[str, ...]
    lights: tuple[str, ...]
    colours: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


WORLDS = (
    World(
        _words("royal;court;palace;castle;ballroom;regency;baroque;king;queen;noble;victorian;opera"),
        _words(
            "Ballroom|a grand ballroom with chandeliers;Gallery|a long palace gallery of portraits;"
            "Rose Garden|a walled rose garden with a marble fountain;Library|a royal library with tall shelves;"
            "Staircase|a sweeping marble staircase;Mirror Hall|a hall of mirrors with gilded frames;"
            "Orangery|a glass orangery full of citrus trees;Throne Room|a throne room with velvet banners;"
            "Music Salon|a salon with a harpsichord and painted walls;Terrace|a balustraded terrace above a lake;"
            "Chapel|a small vaulted chapel with stained glass;Winter Court|a snow-covered inner court"
        ),
        _words(
            "golden accents;long silk curtains;a chequered marble floor;candelabra along the walls;painted ceilings;"
            "fresh flowers in porcelain vases;carved stone arches;an open balcony door;swans on still water;"
            "tapestries with hunting scenes"
        ),
        _words("string quartet;harpsichord;grand piano;solo cello;flute;celesta;harp;French horn;oboe;viola da gamba"),
        _words("waltz;minuet;nocturne;pavane;sarabande;aria without words"),
    ),
    World(
        _words(
            "medieval;tavern;fantasy;village;knight;viking;celtic;bard;dungeon;elf;elven;dragon;wizard;quest;hobbit"
        ),
        _words(
            "Tavern|a timbered tavern with a stone hearth;Market Square|a cobbled market square under old gables;"
            "Watchtower|a lonely watchtower on a green hill;Wizard's Study|a study of scrolls and glass vessels;"
            "Elven Bridge|a carved bridge between giant trees;Smithy|a village smithy with glowing coals;"
            "Ruined Abbey|an ivy-covered ruined abbey;Harbour|a small harbour with wooden longships;"
            "Mountain Gate|a great gate cut into a mountain;Mill|a watermill beside a slow river;"
            "Camp|a travellers' camp beneath a cliff;Standing Stones|a ring of standing stones on a moor"
        ),
        _words(
            "lanterns on iron hooks;a wooden sign creaking in the wind;maps and candles on an oak table;"
            "smoke rising from chimneys;runes carved in the stone;barrels and copper mugs;banners on the walls;"
            "a sleeping hound by the door;herbs hanging from the beams;a path of worn flagstones"
        ),
        _words(
            "lute;wooden flute;hurdy-gurdy;Celtic harp;frame drum;fiddle;recorder;dulcimer;low choir pad;bagpipe drone"
        ),
        _words("ballad;slow dance;travelling song;lament;hearth song;air"),
    ),
    World(
        _words("forest;wood;nature;garden;meadow;spring;bird;jungle;mountain;river;waterfall;lake;grove;autumn;leaf"),
        _words(
            "Fern Glade|a glade of ferns between tall pines;Waterfall|a waterfall over mossy rocks;"
            "Lake Shore|a still mountain lake with reeds;Birch Path|a path through white birches;"
            "Meadow|a wide meadow of wild flowers;"
            "Old Oak|an ancient oak on a hill;Stream|a clear stream over pebbles;"
            "Pine Ridge|a ridge of pines above a valley;Wooden Hut|a wooden hut at the edge of a wood;"
            "Canopy|the canopy of a rainforest;Bluebell Wood|a wood carpeted with bluebells;"
            "Canyon|a red canyon with a green river"
        ),
        _words(
            "drifting mist;deer in the distance;sunbeams between the trunks;dew on spider webs;fallen leaves;"
            "dragonflies over water;a fallen mossy log;swallows in the sky;mushrooms among roots;ripples on the water"
        ),
        _words(
            "acoustic guitar;bamboo flute;kalimba;soft strings;felt piano;"
            "wooden marimba;harp;warm synth pad;cello;hang drum"
        ),
        _words("pastoral;slow meditation;morning piece;walking theme;lullaby;reverie"),
    ),
    World(
        _words("sea;ocean;beach;coast;island;wave;lagoon;harbor;harbour;underwater;tropic;sail;lighthouse"),
        _words(
            "Lighthouse|a white lighthouse on a rocky cape;Lagoon|a turquoise lagoon with a sandbar;"
            "Fishing Quay|a quiet quay with painted boats;Coral Garden|a coral garden under clear water;"
            "Dunes|grass-covered dunes before the sea;Cliff Path|a path along high chalk cliffs;"
            "Tide Pool|tide pools among dark rocks;Old Pier|a long wooden pier;Bay|a wide bay with sailing boats;"
            "Sea Cave|a sea cave with light on its walls;Palm Beach|an empty beach with leaning palms;"
            "Veranda|a veranda above the surf"
        ),
        _words(
            "gulls far away;foam on the sand;ropes and nets;shells in the foreground;a boat on the horizon;"
            "clouds piled over the water;driftwood;rays of light through the water;lamps along the shore;wet stones"
        ),
        _words(
            "electric piano;steel guitar;soft vibraphone;warm synth pad;nylon guitar;"
            "glass harmonica;cello;shaker;flute;ukulele"
        ),
        _words("tide piece;slow drift;barcarole;evening song;swell;horizon theme"),
    ),
    World(
        _words("space;cosmic;star;galaxy;planet;sci;future;cyber;neon;nebula;astral;moon;orbit;synthwave"),
        _words(
            "Observation Deck|an observation deck before a nebula;Ringed Planet|a ringed planet above an icy moon;"
            "Orbital Station|a quiet orbital station;Crystal Desert|a desert of crystals under two moons;"
            "Neon Street|a wet neon street of a future city;Starship Garden|a garden inside a starship;"
            "Aurora Plain|a plain of ice under an aurora;Control Room|a control room with soft displays;"
            "Asteroid Field|a slow field of asteroids;Sky Tower|a tower above a sea of clouds;"
            "Comet|a comet over a dark ocean world;Hangar|a vast hangar open to the stars"
        ),
        _words(
            "distant stars;slow drifting dust;holographic charts;reflections on dark glass;a small landing craft;"
            "light trails far below;a spiral galaxy;frost on the window;blinking beacons;a silent satellite"
        ),
        _words(
            "analogue synth pad;glass bells;deep sub bass;arpeggiated synthesizer;choir pad;"
            "electric piano;granular texture;bowed vibraphone;theremin;soft pulse"
        ),
        _words("drone piece;slow orbit;float;signal study;ascent;night passage"),
    ),
    World(
        _words("lofi;lo-fi;lo;study;cafe;coffee;city;jazz;urban;chill;beats;night;rain;bookshop;work;office"),
        _words(
            "Corner Café|a small corner café;Desk by the Window|a desk by a rainy window;"
            "Rooftop|a rooftop with plants and fairy lights;Record Shop|a record shop with wooden crates;"
            "Last Tram|a tram stop on an empty street;Bookshop|a bookshop with a reading chair;"
            "Laundrette|a warm laundrette seen through glass;Balcony|a balcony above the city;"
            "Jazz Cellar|a brick jazz cellar before the show;Train Compartment|a train compartment at dusk;"
            "Kitchen|a small kitchen with a steaming kettle;Noodle Bar|a noodle bar on a side street"
        ),
        _words(
            "raindrops on the glass;a sleeping cat;a turntable;"
            "steam from a cup;stacks of notebooks;warm string lights;"
            "potted plants;a bicycle leaning outside;city lights out of focus;an old desk lamp"
        ),
        _words(
            "Rhodes piano;upright bass;mellow guitar;muted trumpet;soft vinyl drums;"
            "vibraphone;warm tape pad;felt piano;tenor saxophone;brushed drums"
        ),
        _words("slow beat;late-night groove;jazz ballad;study loop;two-chord vamp;half-time beat"),
    ),
    World(
        _words("zen;temple;japan;asia;yoga;spa;meditat;buddh;tea;mantra;chakra;monk;himalaya;bamboo"),
        _words(
            "Temple Court|a temple court of raked gravel;Tea House|a tea house above a pond;"
            "Bamboo Grove|a grove of tall bamboo;Stone Steps|mossy stone steps to a shrine;"
            "Lotus Pond|a pond of lotus flowers;Mountain Monastery|a monastery above the clouds;"
            "Cherry Garden|a garden of cherry trees;Hot Spring|a hot spring between rocks;"
            "Paper Room|a room of paper screens;Red Bridge|a red bridge over still water;"
            "Bell Pavilion|a pavilion with a bronze bell;Rice Terraces|terraces of rice filled with water"
        ),
        _words(
            "stone lanterns;petals on the water;koi beneath the surface;incense smoke;prayer flags;a lone crane;"
            "smooth round pebbles;wooden wind chimes;maple leaves;a bowl of tea"
        ),
        _words(
            "koto;shakuhachi flute;singing bowls;soft gong;guzheng;bamboo chimes;low drone;harp;handpan;warm strings"
        ),
        _words("meditation;breathing piece;slow procession;garden study;still piece;evening chant without words"),
    ),
    World(
        _words("winter;snow;christmas;fireplace;cozy;cosy;cabin;frost;ice;nordic;hearth;holiday"),
        _words(
            "Cabin|a log cabin in deep snow;"
            "Hearth|a stone hearth with a wood fire;Frozen Lake|a frozen lake ringed by firs;"
            "Mountain Inn|a mountain inn with lit windows;Snowy Lane|a village lane under snow;"
            "Reading Nook|a reading nook with wool blankets;Skating Pond|a skating pond at the edge of a park;"
            "Fir Forest|a forest of snow-laden firs;Winter Market|a small winter market;"
            "Attic Window|an attic window with frost flowers;Sledge Hill|a hill with sledge tracks;"
            "Northern Fjord|a fjord between white mountains"
        ),
        _words(
            "snow falling slowly;candles on the sill;smoke from a chimney;"
            "a steaming mug;pine garlands;a red scarf on a chair;"
            "footprints in the snow;icicles along the roof;stacked firewood;lanterns along the path"
        ),
        _words("felt piano;music box;soft strings;glockenspiel;acoustic guitar;clarinet;warm pad;cello;celesta;harp"),
        _words("lullaby;winter waltz;fireside piece;slow carol without words;snowfall study;night song"),
    ),
)

ANYWHERE = World(
    (),
    _words(
        "Open Window|a wide open window above rooftops;Hill|a green hill under a great sky;"
        "Courtyard|a quiet courtyard with a fountain;Archway|an old archway at the end of a lane;"
        "Glasshouse|a glasshouse full of plants;Shore|a calm shore with smooth stones;"
        "Attic|an attic room with wooden beams;Valley|a long valley with a winding river;"
        "Hall|a bright hall with tall columns;Garden Gate|a gate into an overgrown garden;"
        "Bridge|a stone bridge over slow water;Lookout|a lookout above the clouds"
    ),
    _words(
        "curtains moving in the air;birds in the distance;"
        "a single lit lamp;leaves on the ground;reflections in water;"
        "a bench beneath a tree;soft dust in the light;ivy on the walls;a winding path;flowers in a bowl"
    ),
    _words("felt piano;warm synth pad;soft strings;acoustic guitar;harp;cello;flute;vibraphone;marimba;clarinet"),
    _words("slow theme;reverie;interlude;drifting piece;quiet study;nocturne"),
)

TEMPERS = (
    Temper(
        _words("elegan;classic;royal;noble;refin;roman;grand;graceful;luxur;sophist"),
        (66, 96), 4,
        _words("with graceful phrasing;with light ornaments;in a stately tread;with singing lines"),
        _words(
            "warm candlelight;golden late-afternoon light;"
            "soft morning light through tall windows;lamplight at dusk"
        ),
        _words("ivory and gold;deep burgundy and brass;pearl and rose;champagne and moss green"),
    ),
    Temper(
        _words("dark;omin;horror;haunt;gloom;eerie;sinist;goth;shadow;grim"),
        (48, 68), 10,
        _words("over a low drone;with long shadows of reverb;in slow, heavy breaths;with distant echoes"),
        _words("cold moonlight;dim light through fog;a storm-grey evening;embers in the dark"),
        _words("charcoal and deep blue;black and oxblood;slate and ash;midnight green and iron"),
    ),
    Temper(
        _words("sad;melanch;nostalg;lone;wist;rain;bitter;blue;longing;somber;sombre"),
        (54, 76), 8,
        _words(
            "with long, sighing phrases;with room between the notes;"
            "softly, as if remembered;with a fragile melody"
        ),
        _words("grey light after rain;the last light of an autumn day;blue hour;a pale overcast morning"),
        _words("faded blue and sepia;grey and old rose;muted teal and rust;lavender and smoke"),
    ),
    Temper(
        _words("myst;magic;ether;dream;enchant;cosm;surreal;otherw;spirit;wonder;fantas"),
        (56, 80), 6,
        _words("with shimmering echoes;in floating rhythm;with slowly turning harmonies;over glassy textures"),
        _words("a violet twilight;glimmering starlight;light with no visible source;an aurora above"),
        _words("violet and silver;teal and pale gold;indigo and rose;emerald and moonstone"),
    ),
    Temper(
        _words("happ;joy;bright;uplift;sunn;cheer;playf;hope;fun;optimis;warm"),
        (88, 116), 1,
        _words("with a gentle swing;with light, dancing figures;with an easy pulse;with open, rising lines"),
        _words("clear morning sun;bright midday light;a golden sunrise;light dancing through leaves"),
        _words("lemon and sky blue;peach and mint;coral and cream;apricot and fresh green"),
    ),
    Temper(
        _words("epic;hero;advent;majest;power;triumph;energ;cinema;brave;bold"),
        (84, 112), 5,
        _words("in slowly growing waves;with broad chords;over a steady pulse;with noble, wide melodies"),
        _words("dramatic sunbeams through clouds;a blazing sunset;torchlight;the first light over a summit"),
        _words("gold and storm blue;crimson and bronze;amber and granite;copper and deep teal"),
    ),
    Temper(
        _words("focus;stud;concentr;work;product;chill;lofi;lo-fi;mellow;groov;flow"),
        (68, 90), 5,
        _words("with a steady, unhurried beat;in a simple repeating figure;with dusty warmth;without sudden changes"),
        _words("a warm desk lamp;soft evening light;neon glow through rain;late-night window light"),
        _words("amber and navy;terracotta and teal;warm brown and plum;mustard and dusk blue"),
    ),
    Temper(
        _words("calm;peace;relax;sleep;soft;gentle;seren;tranq;meditat;zen;quiet;sooth;still;cozy;cosy;rest"),
        (52, 72), 3,
        _words("with long, soft notes;in slow breaths;with a patient melody;with barely moving harmonies"),
        _words("soft dawn light;a hazy golden afternoon;gentle light after sunset;pale moonlight"),
        _words("sage and cream;powder blue and sand;soft grey and blush;olive and honey"),
    ),
)  # fmt: skip

TITLE_LIGHTS = _words(
    "Dawn;Morning;Noon;Golden Hour;Dusk;Evening;Midnight;First Light;Moonlight;Twilight;Afterglow;Daybreak;"
    "Starlight;Stillness;Echoes;Whispers;Memories;Dreams;Silence;Footsteps;Candles;Shadows;Reflections;Breezes"
)
VIEWS = _words(
    "seen from far away;seen through an open doorway;close to the ground;from high above;framed by branches;"
    "along a receding line;from a quiet corner;across still water;half hidden behind pillars;in a wide panorama;"
    "through a rain-streaked pane;under an enormous sky"
)
TEXTURES = _words(
    "long reverb;close, dry room sound;soft tape hiss;wide stereo echoes;a low sustained drone beneath;"
    "gentle plucked patterns;sparse bells above;a slow bass line;breathing dynamics;muted accents;"
    "distant harmonies;a recurring four-note figure"
)
STYLES = _words(
    "painterly, rich in detail;cinematic wide view;"
    "soft matte painting;atmospheric illustration with deep perspective;"
    "delicate watercolour textures;finely lit digital painting"
)
# Around the circle of fifths: neighbours in it sound related.
TONICS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "Ab", "Eb", "Bb", "F")
