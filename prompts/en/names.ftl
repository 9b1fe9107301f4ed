# People whose names ship as audio: those of the lab. `spoken` is how the voice has to be told to say them.

name-anna-svensson = Anna Svensson
    .spoken = Anna Svensson
name-bjorn-akesson = Björn Åkesson
    .spoken = Byurn Ohkesson
name-zoe-oneil = Zoë O'Neil
    .spoken = Zoey O'Neil
