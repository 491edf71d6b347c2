/** Kinds of streets that follow the name, as a source: "Bay Street", "Erzsébet tér". */
export const STREET_KIND_AFTER =
  "streets?|str|st|roads?|rd|avenues?|ave|lane|ln|drive|dr|court|courts|ct|place|pl|square|sq|boulevard|blvd|way|terrace|close|crescent|cres|parade|highway|hwy|parkway|pkwy|trail|row|mews|quay|gardens|grove|" +
  "route|alley|circle|loop|pass|path|pike|plaza|ridge|heights|hill|cliffs?|islands?|forges?|flats?|gateway|extensions?|parks?|walk|bypass|causeway|crossing|turnpike|" +
  "straße|strasse|gasse|weg|allee|platz|ring|damm|ufer|laan|straat|plein|gracht|kade|gate|gata|gatan|vägen|väg|veien|vegen|vei|vej|gade|katu|tie|" +
  "utca|út|útja|tér|tere|körút|krt|kapu|rkp|sor|u|ulica|cesta|ulice|náměstí|nám|trg|tee|tn|pst";

/** Kinds of streets that precede the name: "Via Roma", "Rua do Arenque", "ul. Miła". */
export const STREET_KIND_BEFORE =
  "via|viale|vicolo|piazza|piazzale|piazzetta|corso|largo|strada|rua|rúa|r|avenida|avda|av|travessa|praça|praca|alameda|estrada|rodovia|calle|c/|cl|paseo|plaza|plz|carrera|cra|camino|carretera|ctra|" +
  "rue|avenue|boulevard|bd|place|chemin|quai|allée|impasse|cité|route|square|cours|ul|ulica|ulice|al|aleja|pl|plac|trg|os|osiedle|c\\.|λ|λεωφ|οδός|πλατεία";

/** Ends of street names in one word: "Passauerstrasse", "Mellemvej", "Ilmalankuja". */
export const STREET_ENDING =
  "stra(?:ß|ss)e|str|gasse|weg|allee|platz|damm|laan|straat|plein|gracht|kade|gata|gatan|gate|vägen|veien|vegen|vejen|vej|gade|gård|katu|tie|kuja|polku|tori|braut|stræti|straeti|vegur|götu|vænget|toften|stien|gränd|backen|bakken|sgatan|torget";

/** Kinds of units inside a building. */
export const UNIT_KIND =
  "apartments?|apt|suite|ste|unit|flat|room|rm|floor|fl|building|bldg|villa|door|wohnung|depto|piso|lejl|appt";
