# Days and times, as an envelope says them. The words that go in are below and in numbers.ftl.

calendar-today = i dag klockan { $time }
calendar-yesterday = i går klockan { $time }
calendar-tomorrow = i morgon klockan { $time }
calendar-weekday = { $weekday } klockan { $time }
calendar-date = { $weekday } den { $ordinal } { $month }, klockan { $time }
calendar-date-year = den { $ordinal } { $month } { $year }, klockan { $time }

# The same without a time.
calendar-day-today = i dag
calendar-day-yesterday = i går
calendar-day-tomorrow = i morgon
calendar-day-weekday = { $weekday }
calendar-day-date = { $weekday } den { $ordinal } { $month }
calendar-day-date-year = den { $ordinal } { $month } { $year }

# Twelve hour clock. { $half } is the part of the day.
calendar-time-12-full = { $hour } { $half }
calendar-time-12 = { $hour } { $minute } { $half }
calendar-time-24-full = { $hour } noll noll
calendar-time-24 = { $hour } { $minute }
calendar-noon = tolv på dagen
calendar-midnight = tolv på natten
calendar-at-night = på natten
calendar-in-the-morning = på morgonen
calendar-in-the-forenoon = på förmiddagen
calendar-in-the-afternoon = på eftermiddagen
calendar-in-the-evening = på kvällen

# A day of the week that is past.
calendar-last-weekday-1 = i måndags
calendar-last-weekday-2 = i tisdags
calendar-last-weekday-3 = i onsdags
calendar-last-weekday-4 = i torsdags
calendar-last-weekday-5 = i fredags
calendar-last-weekday-6 = i lördags
calendar-last-weekday-7 = i söndags

# One that is to come.
calendar-next-weekday-1 = på måndag
calendar-next-weekday-2 = på tisdag
calendar-next-weekday-3 = på onsdag
calendar-next-weekday-4 = på torsdag
calendar-next-weekday-5 = på fredag
calendar-next-weekday-6 = på lördag
calendar-next-weekday-7 = på söndag

calendar-weekday-1 = måndagen
calendar-weekday-2 = tisdagen
calendar-weekday-3 = onsdagen
calendar-weekday-4 = torsdagen
calendar-weekday-5 = fredagen
calendar-weekday-6 = lördagen
calendar-weekday-7 = söndagen

calendar-month-1 = januari
calendar-month-2 = februari
calendar-month-3 = mars
calendar-month-4 = april
calendar-month-5 = maj
calendar-month-6 = juni
calendar-month-7 = juli
calendar-month-8 = augusti
calendar-month-9 = september
calendar-month-10 = oktober
calendar-month-11 = november
calendar-month-12 = december
