# Days and times, as an envelope says them. The words that go in are below and in numbers.ftl.

calendar-today = today at { $time }
calendar-yesterday = yesterday at { $time }
calendar-tomorrow = tomorrow at { $time }
calendar-weekday = on { $weekday } at { $time }
calendar-date = on { $weekday }, { $month } { $ordinal }, at { $time }
calendar-date-year = on { $month } { $ordinal }, { $year }, at { $time }

# The same without a time.
calendar-day-today = today
calendar-day-yesterday = yesterday
calendar-day-tomorrow = tomorrow
calendar-day-weekday = on { $weekday }
calendar-day-date = on { $weekday }, { $month } { $ordinal }
calendar-day-date-year = on { $month } { $ordinal }, { $year }

# Twelve hour clock. { $half } is AM or PM.
calendar-time-12-full = { $hour } { $half }
calendar-time-12 = { $hour } { $minute } { $half }
calendar-time-24-full = { $hour } hundred hours
calendar-time-24 = { $hour } { $minute }
calendar-am = AM
    .spoken = A.M.
calendar-pm = PM
    .spoken = P.M.
calendar-noon = noon
calendar-midnight = midnight

calendar-weekday-1 = Monday
calendar-weekday-2 = Tuesday
calendar-weekday-3 = Wednesday
calendar-weekday-4 = Thursday
calendar-weekday-5 = Friday
calendar-weekday-6 = Saturday
calendar-weekday-7 = Sunday

calendar-month-1 = January
calendar-month-2 = February
calendar-month-3 = March
calendar-month-4 = April
calendar-month-5 = May
calendar-month-6 = June
calendar-month-7 = July
calendar-month-8 = August
calendar-month-9 = September
calendar-month-10 = October
calendar-month-11 = November
calendar-month-12 = December
