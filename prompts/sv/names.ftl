# People whose names ship as audio: those of the lab. `spoken` is how the voice has to be told to say them.

name-anna-svensson = Anna Svensson
name-bjorn-akesson = Björn Åkesson
name-zoe-oneil = Zoë O'Neil
    .spoken = Såi Ånil
