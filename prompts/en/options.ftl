# Personal options (fact sheet exchange-um 4.7).

options-menu = To switch your out-of-office greeting on or off, press one. For your greetings and your name, press two. For a new PIN, press three.
    .spoken = To switch your out-of-office greeting on or off, press one. For your greetings and your name, press two. For a new pin, press three.
options-menu-more = To begin by voice or by keys, press four. For your time zone, press five. For twelve or twenty four hours, press six. To go back, press star. To hear this again, press zero.
options-voice = You begin by voice, where it is there.
options-keys = You begin by keys.
options-twelve = Times are told in twelve hours.
options-twenty-four = Times are told in twenty four hours.
options-time-now = It is { $time } where you are.
options-enter-time = If that is right, press star. If not, enter the time that it is: two digits for the hours, from zero to twenty three, and two for the minutes.
options-zone-choice = For { $city }, press { $key }.
options-zone-is = Your time zone is that of { $city }.
options-no-zone = It is that time nowhere that I know.
