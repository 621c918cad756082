//! What people call time zones, in English: `PST`, `Pacific Daylight Time`.

mod regions;

use chrono::{Offset, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

/// Zones of one name.
struct Row {
    /// In winter, in summer, and whatever the season is.
    short: [&'static str; 3],
    /// The same in full.
    full: [&'static str; 3],
    /// Those of this name; the first is the one that is meant by it. A region that is in no row has the names of the row with the
    /// abbreviation that tzdb gives it, if that row is `common`.
    zones: &'static [Tz],
    is_common: bool,
}

macro_rules! rows {
    ($($common:literal $std:literal $dst:literal $generic:literal,
       $full_std:literal $full_dst:literal $full_generic:literal, [$($zone:ident)*];)*) => {
        &[$(Row {
            short: [$std, $dst, $generic],
            full: [$full_std, $full_dst, $full_generic],
            zones: &[$(Tz::$zone),*],
            is_common: $common,
        }),*]
    };
}

use rows;

const ROWS: &[Row] = rows! {
    true "UTC" "UTC" "UTC", "Coordinated Universal Time" "Coordinated Universal Time" "Coordinated Universal Time",
        [UTC Etc__UTC UCT Universal Zulu];
    true "GMT" "GMT" "GMT", "Greenwich Mean Time" "Greenwich Mean Time" "Greenwich Mean Time", [GMT Africa__Abidjan];
    false "GMT" "BST" "BT", "Greenwich Mean Time" "British Summer Time" "British Time",
        [Europe__London Europe__Belfast Europe__Guernsey Europe__Isle_of_Man Europe__Jersey GB];
    true "PST" "PDT" "PT", "Pacific Standard Time" "Pacific Daylight Time" "Pacific Time", [America__Los_Angeles];
    true "MST" "MDT" "MT", "Mountain Standard Time" "Mountain Daylight Time" "Mountain Time", [America__Denver];
    true "CST" "CDT" "CT", "Central Standard Time" "Central Daylight Time" "Central Time", [America__Chicago];
    true "EST" "EDT" "ET", "Eastern Standard Time" "Eastern Daylight Time" "Eastern Time", [America__New_York];
    true "AST" "ADT" "AT", "Atlantic Standard Time" "Atlantic Daylight Time" "Atlantic Time", [America__Halifax];
    true "AKST" "AKDT" "AKT", "Alaska Standard Time" "Alaska Daylight Time" "Alaska Time", [America__Anchorage];
    true "HST" "HDT" "HST", "Hawaii-Aleutian Standard Time" "Hawaii-Aleutian Daylight Time" "Hawaii-Aleutian Time",
        [Pacific__Honolulu];
    true "NST" "NDT" "NT", "Newfoundland Standard Time" "Newfoundland Daylight Time" "Newfoundland Time",
        [America__St_Johns];
    false "CST" "CDT" "CT", "Cuba Standard Time" "Cuba Daylight Time" "Cuba Time", [America__Havana Cuba];
    false "BRT" "BRST" "BRT", "Brasilia Standard Time" "Brasilia Summer Time" "Brasilia Time",
        [America__Sao_Paulo America__Bahia America__Fortaleza America__Recife America__Belem Brazil__East];
    false "AMT" "AMST" "AMT", "Amazon Standard Time" "Amazon Summer Time" "Amazon Time", [America__Manaus Brazil__West];
    false "ART" "ARST" "ART", "Argentina Standard Time" "Argentina Summer Time" "Argentina Time",
        [America__Argentina__Buenos_Aires America__Buenos_Aires];
    false "CLT" "CLST" "CLT", "Chile Standard Time" "Chile Summer Time" "Chile Time", [America__Santiago];
    false "COT" "COST" "COT", "Colombia Standard Time" "Colombia Summer Time" "Colombia Time", [America__Bogota];
    false "PET" "PEST" "PET", "Peru Standard Time" "Peru Summer Time" "Peru Time", [America__Lima];
    false "VET" "VEST" "VET", "Venezuela Time" "Venezuela Summer Time" "Venezuela Time", [America__Caracas];
    false "BOT" "BOST" "BOT", "Bolivia Time" "Bolivia Summer Time" "Bolivia Time", [America__La_Paz];
    false "UYT" "UYST" "UYT", "Uruguay Standard Time" "Uruguay Summer Time" "Uruguay Time", [America__Montevideo];
    true "CET" "CEST" "CET", "Central European Standard Time" "Central European Summer Time" "Central European Time",
        [Europe__Paris];
    true "EET" "EEST" "EET", "Eastern European Standard Time" "Eastern European Summer Time" "Eastern European Time",
        [Europe__Bucharest];
    true "WET" "WEST" "WET", "Western European Standard Time" "Western European Summer Time" "Western European Time",
        [Atlantic__Canary];
    false "AZOT" "AZOST" "AZOT", "Azores Standard Time" "Azores Summer Time" "Azores Time", [Atlantic__Azores];
    true "MSK" "MSD" "MT", "Moscow Standard Time" "Moscow Summer Time" "Moscow Time", [Europe__Moscow];
    false "TRT" "TRST" "TRT", "Turkey Time" "Turkey Summer Time" "Turkey Time", [Europe__Istanbul Asia__Istanbul Turkey];
    true "WAT" "WAST" "WAT", "West Africa Standard Time" "West Africa Summer Time" "West Africa Time", [Africa__Lagos];
    true "CAT" "CAST" "CAT", "Central Africa Time" "Central African Summer Time" "Central Africa Time", [Africa__Maputo];
    true "EAT" "EAST" "EAT", "East Africa Time" "Eastern African Summer Time" "Eastern Africa Time", [Africa__Nairobi];
    true "SAST" "SAST" "SAT", "South Africa Standard Time" "South Africa Summer Time" "South Africa Time",
        [Africa__Johannesburg];
    false "IST" "IDT" "IT", "India Standard Time" "India Daylight Time" "India Time",
        [Asia__Kolkata Asia__Calcutta Asia__Colombo];
    false "GMT" "IST" "IT", "Greenwich Mean Time" "Irish Standard Time" "Irish Time", [Europe__Dublin Eire];
    false "IST" "IDT" "IT", "Israel Standard Time" "Israel Daylight Time" "Israel Time",
        [Asia__Jerusalem Asia__Tel_Aviv Israel];
    false "AST" "ADT" "AT", "Arabian Standard Time" "Arabian Daylight Time" "Arabian Time",
        [Asia__Riyadh Asia__Kuwait Asia__Qatar Asia__Bahrain Asia__Aden Asia__Baghdad];
    false "GST" "GDT" "GT", "Gulf Standard Time" "Gulf Daylight Time" "Gulf Time", [Asia__Dubai Asia__Muscat];
    false "IRST" "IRDT" "IRT", "Iran Standard Time" "Iran Daylight Time" "Iran Time", [Asia__Tehran Iran];
    false "AFT" "AFST" "AFT", "Afghanistan Time" "Afghanistan Summer Time" "Afghanistan Time", [Asia__Kabul];
    true "PKT" "PKST" "PKT", "Pakistan Standard Time" "Pakistan Summer Time" "Pakistan Time", [Asia__Karachi];
    false "UZT" "UZST" "UZT", "Uzbekistan Standard Time" "Uzbekistan Summer Time" "Uzbekistan Time",
        [Asia__Tashkent Asia__Samarkand];
    false "NPT" "NPST" "NPT", "Nepal Time" "Nepal Summer Time" "Nepal Time", [Asia__Kathmandu Asia__Katmandu];
    false "BDT" "BDST" "BDT", "Bangladesh Standard Time" "Bangladesh Summer Time" "Bangladesh Time", [Asia__Dhaka];
    false "MMT" "MMST" "MMT", "Myanmar Time" "Myanmar Summer Time" "Myanmar Time", [Asia__Yangon Asia__Rangoon];
    false "ICT" "ICST" "ICT", "Indochina Time" "Indochina Summer Time" "Indochina Time",
        [Asia__Bangkok Asia__Ho_Chi_Minh Asia__Phnom_Penh Asia__Saigon Asia__Vientiane];
    true "WIB" "WIST" "WIB", "Western Indonesia Time" "West Indonesia Summer Time" "Western Indonesia Time", [Asia__Jakarta];
    false "SGT" "SGST" "SGT", "Singapore Standard Time" "Singapore Summer Time" "Singapore Time",
        [Asia__Singapore Singapore];
    false "MYT" "MYST" "MYT", "Malaysia Time" "Malaysia Summer Time" "Malaysia Time", [Asia__Kuala_Lumpur Asia__Kuching];
    false "CST" "CDT" "CT", "China Standard Time" "China Daylight Time" "China Time",
        [Asia__Shanghai Asia__Chongqing Asia__Chungking Asia__Harbin Asia__Macau PRC];
    false "CST" "CDT" "CT", "Taipei Standard Time" "Taipei Daylight Time" "Taipei Time", [Asia__Taipei ROC];
    true "HKT" "HKST" "HKT", "Hong Kong Standard Time" "Hong Kong Summer Time" "Hong Kong Time", [Asia__Hong_Kong];
    false "PST" "PDT" "PT", "Philippine Standard Time" "Philippine Summer Time" "Philippine Time", [Asia__Manila];
    true "JST" "JDT" "JT", "Japan Standard Time" "Japan Daylight Time" "Japan Time", [Asia__Tokyo];
    true "KST" "KDT" "KT", "Korean Standard Time" "Korean Daylight Time" "Korean Time", [Asia__Seoul];
    true "AWST" "AWDT" "AWT",
        "Australian Western Standard Time" "Australian Western Daylight Time" "Western Australia Time", [Australia__Perth];
    true "ACST" "ACDT" "ACT",
        "Australian Central Standard Time" "Australian Central Daylight Time" "Central Australia Time",
        [Australia__Adelaide];
    true "AEST" "AEDT" "AET",
        "Australian Eastern Standard Time" "Australian Eastern Daylight Time" "Eastern Australia Time",
        [Australia__Sydney];
    false "LHST" "LHDT" "LHT", "Lord Howe Standard Time" "Lord Howe Daylight Time" "Lord Howe Time",
        [Australia__Lord_Howe Australia__LHI];
    true "NZST" "NZDT" "NZT", "New Zealand Standard Time" "New Zealand Daylight Time" "New Zealand Time",
        [Pacific__Auckland];
};

/// What one zone is called.
#[derive(Debug, Clone)]
pub(super) struct Names {
    short: [String; 3],
    full: [String; 3],
}

impl Names {
    /// Of a region.
    pub(super) fn of(region: Tz) -> Self {
        let [winter, summer] = abbreviations(region);
        let mut all = regions::ROWS.iter().chain(ROWS);
        let row = all
            .find(|row| row.zones.contains(&region))
            .or_else(|| ROWS.iter().find(|row| row.is_common && winter.as_deref() == Some(row.short[0])));
        if let Some(row) = row {
            return Self { short: row.short.map(str::to_owned), full: row.full.map(str::to_owned) };
        }
        // What has no name is called by its offset, as in Java.
        let offset = region.offset_from_utc_datetime(&now().naive_utc()).fix().local_minus_utc();
        let (sign, all) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
        let by_offset = format!("GMT{sign}{:02}:{:02}", all / 3600, all / 60 % 60);
        let winter = winter.unwrap_or_else(|| by_offset.clone());
        let summer = summer.unwrap_or_else(|| winter.clone());
        Self { short: [winter.clone(), summer, winter], full: [by_offset.clone(), by_offset.clone(), by_offset] }
    }

    /// Of what has a name that says all: an offset.
    pub(super) fn of_id(id: &str) -> Self {
        if let Some(row) = ROWS.iter().find(|row| row.short == [id; 3]) {
            return Self { short: row.short.map(str::to_owned), full: row.full.map(str::to_owned) };
        }
        let all = [id; 3].map(str::to_owned);
        Self { short: all.clone(), full: all }
    }

    /// See [`super::ZoneClock::name`].
    pub(super) fn get(&self, full: bool, is_dst: Option<bool>) -> &str {
        let names = if full { &self.full } else { &self.short };
        &names[is_dst.map_or(2, usize::from)]
    }
}

/// A moment of these years, in which tzdb's abbreviations are those of today.
fn now() -> chrono::DateTime<Utc> {
    chrono::DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default()
}

/// The abbreviations that tzdb has for a region in winter and in summer, where they are words.
fn abbreviations(region: Tz) -> [Option<String>; 2] {
    let mut found = [None, None];
    for half_year in [0, 182] {
        let offset = region.offset_from_utc_datetime(&(now() + chrono::TimeDelta::days(half_year)).naive_utc());
        let name = offset.abbreviation().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        found[usize::from(!offset.dst_offset().is_zero())] = name.map(str::to_owned);
    }
    found
}

/// The zone whose name `text` begins with, and how long the name is.
pub(super) fn read(text: &str) -> Option<(Tz, usize)> {
    let fits = |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let mut best: Option<(Tz, usize)> = None;
    for row in ROWS.iter().chain(regions::ROWS) {
        for name in row.full.iter().chain(&row.short) {
            if fits(name) && best.is_none_or(|(_, length)| length < name.len()) {
                best = Some((row.zones[0], name.len()));
            }
        }
    }
    best
}
