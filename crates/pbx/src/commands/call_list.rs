use serde::{Deserialize, Serialize};

/// `call_list -i | -c | -e | -p`: where a call to an extension goes, position after position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallList {
    Initiate(CallListSet),
    Change(CallListSet),
    /// Without `position`: the whole list.
    End {
        dir: String,
        #[serde(default)]
        list: Option<u32>,
        #[serde(default)]
        position: Option<u32>,
    },
    Print {
        #[serde(default)]
        dir: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallListSet {
    /// `-d`: the extension.
    pub dir: String,
    /// 1 to 5 (default 1; the list in use is 1).
    pub list: Option<u32>,
    pub dest_number: Option<String>,
    /// 1 to 10.
    pub position: u32,
    /// What to do at busy: 0 busy tone and stop (default), 2 to 10 go to that position (a later one), 11 stop and use
    /// the extension's own diversion.
    pub busy_position: Option<u32>,
    /// The same for a phone that does not want to be disturbed.
    pub dnd_position: Option<u32>,
    /// Seconds, 1 to 180; without it the node's ring time holds.
    pub ringing_time: Option<u32>,
    /// Three bits: internal, private network, public network. Default 111.
    pub origin: Option<String>,
    /// Whether the destination's own diversion is passed over.
    pub ird_bypass: Option<bool>,
    /// Whether the position is skipped while a call of this extension is already there.
    pub one_call: Option<bool>,
    /// Kept and printed only.
    pub sms_support: Option<bool>,
    pub delay_seizure_list_number: Option<u32>,
    pub instant_messaging_support: Option<bool>,
    pub call_list_cdiv: Option<String>,
}
