/** Words before a person's name, folded, without a dot. */
export const HONORIFICS: ReadonlySet<string> = new Set(
  "mr mrs ms miss mx dr prof professor sir madam dame lord lady rev reverend fr sr sra srta herr frau monsieur madame mme mlle señor signor signora capt captain sgt col gen lt judge".split(
    " ",
  ),
);

/** Honorifics that are reported as TITLE by themselves. */
export const TITLE_HONORIFICS: ReadonlySet<string> = new Set("mr mrs ms miss dr prof".split(" "));

/** Lower-case words inside names: "Ludwig van Beethoven", "Črni Vrh nad Idrijo". */
export const PARTICLES: ReadonlySet<string> = new Set(
  "van von der den de da do dos das del della di du la le ten ter bin ibn al el y nad na pod".split(" "),
);

/** Last words of an organisation's name, folded, without a dot. */
export const ORGANIZATION_SUFFIXES: ReadonlySet<string> = new Set(
  (
    "inc llc ltd plc corp corporation company co gmbh ag sa srl bv nv oy ab as aps kg group holdings bank university college institute " +
    "foundation association society agency partners associates solutions systems technologies technology services software insurance " +
    "consulting consultants analytics labs laboratories networks industries international enterprises capital finance financial markets " +
    "media studios motors airlines airways pharmaceuticals energy logistics ventures hospital clinic trust council ministry department " +
    "committee commission bureau federation union authority organization organisation global mutual realty data bioscience computing " +
    "supercomputing research reports sons brothers"
  ).split(" "),
);

/** Labels of forms and letter heads that no list of words has. */
export const LABELS: ReadonlySet<string> = new Set(
  "fax tel email e-mail cc bcc fwd re app api url faq pdf usb id ok".split(" "),
);

/** Ends of surnames by language family, on folded words of five letters and more: -ov(a), -ev(a), -sson, -dottir, -sen, -ic, -ski, -nen … */
export const SURNAME_ENDING =
  /(?:[aeiouy]v|[oe]va|ovich|evich|enko|chuk|yan|ian|sson|nsson|dottir|[aeinrt]sen|ovic|evic|[aeiknrtz]ic|sk[iy]|ska|czyk|wicz|nen|escu|eanu|opoulos|idis|akis|oglu|shvili|adze|berg|mann|stein|feld|meier|meyer|ez|inho|etti|elli|ini|otti|uzzi|eault|eau|ault|ck[iy]|lund|qvist|quist|strom|gren|dahl|gaard|vaara|kova|sh(?:i|a)ma|moto|guchi|zawa|yama|mura|naka)$/;

/** Letters of the shortest word whose ending says something. */
export const SURNAME_LENGTH_MIN = 5;

/** What a person does in running text, right after the name. */
export const PERSON_AFTER =
  /^(?:['’]s (?:address|name|phone|email|kid|mother|father|brother|sister|wife|husband|house|son|daughter|song|novel)|,? (?:lives|lived|says|said|asked|told|was born|is my|wrote|writes|sang|played|plays|had given|married|died|works|worked|spent|who|and I)\b|:(?: |$)|@)/i;

/** What stands before a person's name. */
export const PERSON_BEFORE =
  /(?:\bname(?: is|'s|:)?:?|\bnamed|\bcalled|\bi'?m|\bi am|\bthis is|\bdear|\bhi|\bhello|\bhey|\bby:?|\bby\s{1,8}|\bstarring|\bcontact|\bwith|\bspeak to|\btalk to|\bmeet|\bcall|\bask|\bfor|\badd|\bfrom:|\bto:|\bcc:|\bsigned,?|\bregards,?|\bthanks,?|\bsincerely,?|\bbetween|\bfather|\bmother|\bbrother|\bsister|\bwife|\bhusband|\bfriend|\bkid|\bchild|\bbaby|\buncle|\baunt|\bcousin|\bnephew|\bniece|\bcolleague|\bneighbou?r|\bboss|\bsaid|\bsays|\bcalls? me|\bname\?|\bnamed (?:him|her)|\bson|\bdaughter|\bactor|\bactress|\bsinger|\bauthor|\bdirector|\bproducer|\bfounders?:|\buser:|\bwhy is|\bwhere is|\bwho is|\bby|\bunlike the|\bthe late|\byoung|\bearly|\bto it)[:,]?\s{0,4}$/i;

/** What stands before a place and seldom before a person. */
export const PLACE_BEFORE =
  /\b(?:in|near|visit(?:ed|ing)?|via|towards?|outside|around|across|throughout|leaving|southern|northern|eastern|western|central|city of|town of|university of|home city|travell?ing to|moved (?:here )?from|originally from|born in|flew to|returned to|arrived (?:at|in)|city:|country:)\s{1,3}$/i;

/** What stands before a place, a person or a firm. */
export const DIRECTION_BEFORE = /\b(?:to|from|at)\s{1,3}$/i;

/** What stands before an organisation. */
export const ORGANIZATION_BEFORE =
  /\b(?:works? (?:for|at)|worked (?:for|at)|working (?:for|at)|employed (?:by|at)|joined|ceo of|cto of|founder of|president of|director of|chairman of|company|firm|employer|bank|support|according to the|recorded for|address of|a year at|meet(?:ing)? \w{1,12} at|office of|became|renamed|acquired(?: by)?|merged with|subsidiary of|division of)\s{1,3}$/i;

/** What an organisation is or does, right after the name. */
export const ORGANIZATION_AFTER =
  /^(?:['’]s (?:ceo|website|board|customers|employees|headquarters|products|stock|shares)|,? (?:is|was) an? (?:\w{1,20} ){0,3}(?:company|corporation|multinational|agency|organization|organisation|firm|startup|charity|501|non-?profit|business|design|bank|orchestra)|,? is the brainchild| (?:orchestra|office|website|headquarters|corporation|company|invested|announced|acquired|hired|employees|resignation|as the assistant|was (?:founded|incorporated|acquired))\b)/i;
