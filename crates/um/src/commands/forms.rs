//! The texts with an inner form that cmdlets take (fact sheet 2.1, 2.5, 2.8): dialling rules, schedules, key mappings,
//! conditions. Each is checked here when it is set; a refusal says what to write.

use super::value::Check;

/// A text of an inner form, or a list of such.
pub struct Form {
    /// Whether it is one.
    pub sound: fn(&str) -> bool,
    /// What to write instead.
    pub mend: &'static str,
}

/// Longest of them.
const LONGEST: usize = 512;

impl Check<String> for Form {
    fn check(&self, value: &String) -> Result<(), String> {
        super::value::Length(LONGEST).check(value)?;
        if (self.sound)(value) { Ok(()) } else { Err(format!("{value:?}: write {}", self.mend)) }
    }

    fn range(&self) -> String {
        self.mend.into()
    }
}

super::value::of_each!(Form);

/// A SIP URI such as `sip:fax.moon.galaxy:5060;transport=tcp`.
pub const SIP_URI: Form = Form {
    sound: |text| text.parse::<sip::Uri>().is_ok_and(|uri| uri.is_sip()),
    mend: "a SIP URI such as sip:HOST:PORT;transport=tcp",
};

/// `Group,NumberMask,DialedNumber,Comment`.
pub const DIALLING_RULE: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.splitn(4, ',').map(str::trim).collect();
        let [group, mask, dialled, ..] = parts.as_slice() else { return false };
        (1..=32).contains(&group.chars().count())
            && is_mask(mask)
            && is_mask(dialled)
            && crate::rules::dialled_needs(mask, dialled)
    },
    mend: "Group,NumberMask,DialedNumber,Comment: the group of at most 32 characters, masks of digits, x and a last *, of \
           which the dialled number has no more than the mask",
};

/// The group that a dialling rule belongs to.
pub fn group_of(rule: &str) -> &str {
    rule.split(',').next().unwrap_or_default().trim()
}

/// Digits, `x` for any one, `*` at the end for any more.
fn is_mask(text: &str) -> bool {
    let body = text.strip_suffix('*').unwrap_or(text);
    let digits = body.strip_prefix('+').unwrap_or(body);
    !text.is_empty()
        && text.len() <= 64
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'x' | b'X'))
}

/// A mask that tells where in a full number the extension stands.
pub const NUMBER_MASK: Form = Form {
    sound: |text| text.contains(['x', 'X']) && !text.contains('*') && is_mask(text),
    mend: "digits and x, with or without a leading +, such as +464553xxxxx",
};

/// `Day.H:MM-Day.H:MM`.
pub const OPENING_HOURS: Form = Form {
    sound: |text| {
        // Over the end of the week is fine; less than a quarter of an hour is not.
        span(text).is_some_and(|(from, to)| (to + WEEK - from) % WEEK >= 15 || from == to)
    },
    mend: "Day.H:MM-Day.H:MM, such as Mon.8:00-Mon.17:00",
};

const WEEK: u32 = 7 * 24 * 60;

/// Where opening hours begin and end, in minutes from Sunday, 0:00.
pub(crate) fn span(text: &str) -> Option<(u32, u32)> {
    let (from, to) = text.split_once('-')?;
    Some((moment(from)?, moment(to)?))
}

/// Minutes from Sunday, 0:00, of `Mon.8:00`, `1.8:00` or `Monday.8:00 AM`.
fn moment(text: &str) -> Option<u32> {
    let (day, time) = text.trim().split_once('.')?;
    Some(day_of_week(day)? * 24 * 60 + minutes(time)?)
}

pub(crate) fn day_of_week(text: &str) -> Option<u32> {
    const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    if let Ok(number) = text.parse::<u32>() {
        return (number < 7).then_some(number);
    }
    let lower = text.to_ascii_lowercase();
    let index = DAYS.iter().position(|day| lower.len() >= 3 && day.starts_with(&lower))?;
    u32::try_from(index).ok()
}

/// Minutes of `8:00`, `17:30`, `8:00 AM`.
pub(crate) fn minutes(text: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    let (clock, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim(), Some(0)),
        (_, Some(clock)) => (clock.trim(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    let hours = match half {
        None => hours,
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some(half) => hours % 12 + half,
    };
    // 24:00 ends a day.
    (minutes < 60 && (hours < 24 || hours == 24 && minutes == 0)).then_some(hours * 60 + minutes)
}

/// `Name,file.wav,start[,end]`.
pub const HOLIDAY: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [name, file, days @ ..] = parts.as_slice() else { return false };
        let dates: Option<Vec<_>> = days.iter().map(|day| date(day)).collect();
        (1..=64).contains(&name.chars().count())
            && (file.is_empty() || is_file(file))
            && dates
                .is_some_and(|dates| matches!(dates.as_slice(), [_]) || matches!(dates.as_slice(), [a, b] if a <= b))
            && crate::hours::Holiday::exists(text)
    },
    mend: "Name,file.wav,start,end with days as 2026-12-24; the end may be left out",
};

/// Year, month and day of `2026-12-24` or `12/24/2026`.
pub(crate) fn date(text: &str) -> Option<(u32, u32, u32)> {
    let numbers = |separator| -> Option<Vec<u32>> { text.split(separator).map(|part| part.parse().ok()).collect() };
    let (year, month, day) = match (numbers('-').as_deref(), numbers('/').as_deref()) {
        (Some([year, month, day]), _) | (_, Some([month, day, year])) => (*year, *month, *day),
        _ => return None,
    };
    let sound = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then_some((year, month, day))
}

/// A prompt's file name: nothing that could lead elsewhere.
pub fn is_file(text: &str) -> bool {
    let stem = text.to_ascii_lowercase();
    let stem = stem.strip_suffix(".wav").unwrap_or_default();
    let sound = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')');
    !stem.is_empty() && text.chars().count() <= 255 && !text.starts_with('.') && text.chars().all(sound)
}

/// A file that `Import-UMPrompt` has brought, or will bring.
pub const FILE: Form = Form { sound: is_file, mend: "a file name that ends with .wav" };

/// A day of the week.
pub const WEEK_DAY: Form = Form {
    sound: |text| day_of_week(text).is_some(),
    mend: "a day such as Monday or Mon, or its number, where 0 is Sunday",
};

/// A key of an attendant's menu, as [`KeyMapping`](crate::commands::key_mapping::KeyMapping) reads it.
pub const MENU_KEY: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        match parts.as_slice() {
            [name, extension] => !name.is_empty() && is_number(extension),
            [key, name, rest @ ..] => {
                let key = matches!(key.as_bytes(), [b'1'..=b'9'] | b"-");
                let extension = rest.first().is_none_or(|extension| extension.is_empty() || is_number(extension));
                let file = rest.get(2).is_none_or(|file| file.is_empty() || is_file(file));
                key && !name.is_empty()
                    && extension
                    && file
                    && rest.len() <= 8
                    && rest.iter().any(|part| !part.is_empty())
            }
            _ => false,
        }
    },
    mend: "Name,Extension or Key,Name,Extension,AutoAttendant,file.wav,Phrases,VoiceMailOf,User,Location,Hours: keys 1 to 9, - \
           for no key in time; 1 for Location and Hours says them",
};

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Who calls, as a condition: `1,4255550100,,`.
pub const CALLER: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [kind, rest @ ..] = parts.as_slice() else { return false };
        let some = |index: usize| rest.get(index).is_some_and(|part| !part.is_empty());
        rest.len() <= 4
            && match *kind {
                "1" => rest.first().is_some_and(|number| is_number(number.trim_start_matches('+'))),
                "2" | "3" => (0..rest.len()).any(some),
                "4" => true,
                _ => false,
            }
    },
    mend: "1,NUMBER,, for a number, 2,,CONTACT, or 3,,,CONTACT for a person, 4,,, for the contacts folder",
};

/// When a rule holds: `1,0,,` working hours, `2,0,,` other hours, `3,4,8:00,12:00` days and times of its own.
pub const TIME_OF_DAY: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        match parts.as_slice() {
            ["1" | "2", _, _, _] | ["1" | "2"] => true,
            ["3", days, from, to] => {
                let days = days.parse::<u32>().is_ok_and(|days| (1..=127).contains(&days));
                days && minutes(from).is_some() && minutes(to).is_some()
            }
            _ => false,
        }
    },
    mend: "1,0,, for working hours, 2,0,, for other hours, or 3,DAYS,8:00,12:00 with DAYS a sum of 1 (Sunday) to 64",
};

/// A key of a rule: `1,1,Receptionist,,,,,45678,` transfers; `5,2,Urgent,23456,23,45671,50,,` finds the owner.
pub const RULE_KEY: Form = Form {
    sound: |text| {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [kind, key, context, rest @ ..] = parts.as_slice() else { return false };
        let key = matches!(key.as_bytes(), [b'1'..=b'9'] | b"10");
        let numbers = rest.iter().filter(|part| !part.is_empty() && is_number(part)).count();
        let sound = rest.iter().take(4).all(|part| part.is_empty() || is_number(part));
        key && !context.is_empty()
            && rest.len() <= 7
            && sound
            && match *kind {
                "1" | "2" => rest.iter().any(|part| !part.is_empty()),
                "3" | "4" => true,
                "5" => numbers >= 2,
                _ => false,
            }
    },
    mend: "TYPE,KEY,CONTEXT,…: 1,1,Receptionist,,,,,45678, transfers; 5,2,Urgent,23456,23,45671,50,, finds the owner",
};

/// The key that a menu entry or a rule's entry is for, counted from `index` when it does not say.
pub fn key_of(entry: &str, index: usize) -> String {
    let parts: Vec<&str> = entry.split(',').map(str::trim).collect();
    match parts.as_slice() {
        [_, _] => (index + 1).to_string(),
        [key, ..] => (*key).to_owned(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(form: &Form, text: &str) -> bool {
        form.check(&text.to_owned()).is_ok()
    }

    #[test]
    fn dialling_rules_have_a_group_and_two_masks() {
        assert!(sound(&DIALLING_RULE, "Local,91425xxxxxxx,91425xxxxxxx,calls in town"));
        assert!(sound(&DIALLING_RULE, "Any,9*,9*"));
        for bad in ["Local", "Local,9x", ",9,9", "Local,9a,9", "Local,*9,9", &format!("{},9,9", "g".repeat(33))] {
            assert!(!sound(&DIALLING_RULE, bad), "{bad}");
        }
    }

    #[test]
    fn opening_hours_are_days_and_times_a_quarter_of_an_hour_long() {
        for good in ["Mon.8:00-Mon.17:00", "1.8:00-5.17:00", "Friday.10:00 PM-sat.2:00 AM", "Sun.0:00-Sun.24:00"] {
            assert!(sound(&OPENING_HOURS, good), "{good}");
        }
        for bad in [
            "Mon.8:00",
            "Mon.8:00-Mon.8:10",
            "Xxx.8:00-Mon.9:00",
            "7.8:00-1.9:00",
            "Mon.8:60-Mon.9:00",
            "Mon.13:00 PM-Tue.1:00",
        ] {
            assert!(!sound(&OPENING_HOURS, bad), "{bad}");
        }
    }

    #[test]
    fn holidays_are_a_name_a_file_and_days_in_order() {
        assert!(sound(&HOLIDAY, "Christmas,xmas.wav,2026-12-24,2026-12-26"));
        assert!(sound(&HOLIDAY, "Christmas,,2026-12-24"));
        assert!(!sound(&HOLIDAY, "Christmas,xmas.wav,2026-12-26,2026-12-24"));
        assert!(!sound(&HOLIDAY, "Christmas,../xmas.wav,2026-12-24"));
    }

    #[test]
    fn keys_of_menus_and_rules_are_read_as_exchange_writes_them() {
        assert!(sound(&MENU_KEY, "Sales,77899"));
        assert!(sound(&MENU_KEY, "1,Sales,77899"));
        assert!(sound(&MENU_KEY, "-,Nobody,,Night,night.wav"));
        for bad in ["0,Sales,77899", "Sales", "1,Sales,", "1,,77899", "1,Sales,7a"] {
            assert!(!sound(&MENU_KEY, bad), "{bad}");
        }
        assert!(sound(&RULE_KEY, "1,1,Receptionist,,,,,45678,"));
        assert!(sound(&RULE_KEY, "5,2,Urgent Issues,23456,23,45671,50,,"));
        assert!(!sound(&RULE_KEY, "5,2,Urgent Issues,,,,,,"));
        assert!(!sound(&RULE_KEY, "9,1,x,1"));
        assert!(sound(&CALLER, "1,4255550100,,"));
        assert!(!sound(&CALLER, "1,,,"));
        assert!(sound(&TIME_OF_DAY, "1,0,,"));
        assert!(sound(&TIME_OF_DAY, "3,4,8:00,12:00"));
        assert!(!sound(&TIME_OF_DAY, "3,0,8:00,12:00"));
    }
}
