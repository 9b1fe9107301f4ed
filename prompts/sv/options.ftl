# Personal options (fact sheet exchange-um 4.7).

options-menu = Tryck ett för att slå på eller av din frånvarohälsning. Tryck två för dina hälsningar och ditt namn. Tryck tre för en ny PIN-kod.
    .spoken = Tryck ett för att slå på eller av din frånvarohälsning. Tryck två för dina hälsningar och ditt namn. Tryck tre för en ny pinkod.
options-menu-more = Tryck fyra för att börja med rösten eller med knapparna. Tryck fem för din tidszon. Tryck sex för tolv eller tjugofyra timmar. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
options-voice = Du börjar med rösten, där det går.
options-keys = Du börjar med knapparna.
options-twelve = Tider sägs med tolv timmar.
options-twenty-four = Tider sägs med tjugofyra timmar.
options-time-now = Klockan är { $time } där du är.
options-enter-time = Om det stämmer, tryck stjärna. Slå annars vad klockan är: två siffror för timmarna, från noll till tjugotre, och två för minuterna.
options-zone-choice = För { $city }, tryck { $key }.
options-zone-is = Din tidszon är som i { $city }.
options-no-zone = Så är klockan ingenstans som jag vet.
