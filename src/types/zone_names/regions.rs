//! Names of the zones of few people, as Java 17 has them: for each what the table of [`super`] says of the others.

use chrono_tz::Tz;

use super::{Row, rows};

pub(super) const ROWS: &[Row] = rows! {
    false "GMT" "GHST" "GMT", "Greenwich Mean Time" "Ghana Summer Time" "Ghana Mean Time", [Africa__Accra];
    false "WET" "WEST" "WET", "Western European Time" "Western European Summer Time" "Western European Time",
        [Africa__Casablanca Africa__El_Aaiun WET];
    false "CAT" "WAT" "CAT", "Central Africa Time" "Western African Time" "Central African Time", [Africa__Windhoek];
    false "HAST" "HADT" "HAT", "Hawaii-Aleutian Standard Time" "Hawaii-Aleutian Daylight Time" "Hawaii-Aleutian Time",
        [America__Adak America__Atka Pacific__Johnston US__Aleutian];
    false "BRT" "BRST" "BRT", "Brasilia Standard Time" "Brasilia Summer Time" "Brasilia Time",
        [America__Araguaina America__Maceio America__Santarem];
    false "ART" "ARST" "ART", "Argentina Standard Time" "Argentina Summer Time" "Argentina Time",
        [America__Argentina__Catamarca America__Argentina__ComodRivadavia America__Argentina__Cordoba
         America__Argentina__Jujuy America__Argentina__La_Rioja America__Argentina__Mendoza
         America__Argentina__Rio_Gallegos America__Argentina__Salta America__Argentina__San_Juan
         America__Argentina__San_Luis America__Argentina__Tucuman America__Argentina__Ushuaia America__Catamarca
         America__Cordoba America__Jujuy America__Mendoza America__Rosario];
    false "PYT" "PYST" "PYT", "Paraguay Standard Time" "Paraguay Summer Time" "Paraguay Time", [America__Asuncion];
    false "AMT" "AMST" "AMT", "Amazon Standard Time" "Amazon Summer Time" "Amazon Time",
        [America__Boa_Vista America__Campo_Grande America__Cuiaba America__Porto_Velho];
    false "GFT" "GFST" "GFT", "French Guiana Time" "French Guiana Summer Time" "French Guiana Time", [America__Cayenne];
    false "ACT" "ACST" "ACT", "Acre Standard Time" "Acre Summer Time" "Acre Time",
        [America__Eirunepe America__Porto_Acre America__Rio_Branco Brazil__Acre];
    false "WGT" "WGST" "WGT", "West Greenland Standard Time" "West Greenland Summer Time" "West Greenland Time",
        [America__Godthab America__Nuuk];
    false "ECT" "ECST" "ECT", "Ecuador Time" "Ecuador Summer Time" "Ecuador Time", [America__Guayaquil];
    false "GYT" "GYST" "GYT", "Guyana Time" "Guyana Summer Time" "Guyana Time", [America__Guyana];
    false "MST" "MDT" "MT", "Mexican Pacific Standard Time" "Mexican Pacific Daylight Time" "Mexican Pacific Time",
        [America__Hermosillo America__Mazatlan Mexico__BajaSur];
    false "PMST" "PMDT" "PMT",
        "St. Pierre & Miquelon Standard Time" "St. Pierre & Miquelon Daylight Time" "St. Pierre & Miquelon Time",
        [America__Miquelon];
    false "FNT" "FNST" "FNT",
        "Fernando de Noronha Standard Time" "Fernando de Noronha Summer Time" "Fernando de Noronha Time",
        [America__Noronha Brazil__DeNoronha];
    false "SRT" "SRST" "SRT", "Suriname Time" "Suriname Summer Time" "Suriname Time", [America__Paramaribo];
    false "PST" "PDT" "PT", "Northwest Mexico Standard Time" "Northwest Mexico Daylight Time" "Northwest Mexico Time",
        [America__Santa_Isabel];
    false "EGT" "EGST" "EGT", "East Greenland Standard Time" "East Greenland Summer Time" "East Greenland Time",
        [America__Scoresbysund];
    false "AWST" "AWDT" "AWT", "Casey Time" "Australian Western Daylight Time" "Australian Western Time",
        [Antarctica__Casey];
    false "DAVT" "DAVST" "DAVT", "Davis Time" "Davis Summer Time" "Davis Time", [Antarctica__Davis];
    false "DDUT" "DDUST" "DDUT", "Dumont-d’Urville Time" "Dumont-d'Urville Summer Time" "Dumont-d'Urville Time",
        [Antarctica__DumontDUrville];
    false "MAWT" "MAWST" "MAWT", "Mawson Time" "Mawson Summer Time" "Mawson Time", [Antarctica__Mawson];
    false "CLT" "CLST" "CLT", "Chile Time" "Chile Summer Time" "Chile Time", [Antarctica__Palmer];
    false "ROTT" "ROTST" "ROTT", "Rothera Time" "Rothera Summer Time" "Rothera Time", [Antarctica__Rothera];
    false "SYOT" "SYOST" "SYOT", "Syowa Time" "Syowa Summer Time" "Syowa Time", [Antarctica__Syowa];
    false "GMT" "CEST" "ATT", "Greenwich Mean Time" "Central European Summer Time" "Troll Time", [Antarctica__Troll];
    false "VOST" "VOSST" "VOST", "Vostok Time" "Vostok Summer Time" "Vostok Time", [Antarctica__Vostok];
    false "ALMT" "ALMST" "ALMT", "East Kazakhstan Time" "Alma-Ata Summer Time" "Alma-Ata Time", [Asia__Almaty];
    false "EET" "EEST" "EET", "Eastern European Standard Time" "Eastern European Summer Time" "Eastern European Time",
        [Asia__Amman Asia__Damascus Asia__Hebron];
    false "ANAT" "ANAST" "ANAT", "Anadyr Standard Time" "Anadyr Summer Time" "Anadyr Time", [Asia__Anadyr];
    false "AQTT" "AQTST" "AQTT", "West Kazakhstan Time" "Aqtau Summer Time" "Aqtau Time", [Asia__Aqtau];
    false "AQTT" "AQTST" "AQTT", "West Kazakhstan Time" "Aqtobe Summer Time" "Aqtobe Time", [Asia__Aqtobe];
    false "TMT" "TMST" "TMT", "Turkmenistan Standard Time" "Turkmenistan Summer Time" "Turkmenistan Time",
        [Asia__Ashgabat Asia__Ashkhabad];
    false "AZT" "AZST" "AZT", "Azerbaijan Standard Time" "Azerbaijan Summer Time" "Azerbaijan Time", [Asia__Baku];
    false "KGT" "KGST" "KGT", "Kyrgyzstan Time" "Kirgizstan Summer Time" "Kirgizstan Time", [Asia__Bishkek];
    false "BNT" "BNST" "BNT", "Brunei Darussalam Time" "Brunei Summer Time" "Brunei Time", [Asia__Brunei];
    false "YAKT" "YAKST" "YAKT", "Yakutsk Standard Time" "Yakutsk Summer Time" "Yakutsk Time",
        [Asia__Chita Asia__Khandyga Asia__Yakutsk];
    false "CHOT" "CHOST" "CHOT", "Ulaanbaatar Standard Time" "Ulaanbaatar Summer Time" "Ulaanbaatar Time",
        [Asia__Choibalsan];
    false "BDT" "BDST" "BDT", "Bangladesh Standard Time" "Bangladesh Summer Time" "Bangladesh Time", [Asia__Dacca];
    false "TLT" "TLST" "TLT", "East Timor Time" "Timor-Leste Summer Time" "Timor-Leste Time", [Asia__Dili];
    false "TJT" "TJST" "TJT", "Tajikistan Time" "Tajikistan Summer Time" "Tajikistan Time", [Asia__Dushanbe];
    false "EET" "EEST" "EET", "Eastern European Time" "Eastern European Summer Time" "Eastern European Time",
        [Asia__Famagusta EET];
    false "HOVT" "HOVST" "HOVT", "Hovd Standard Time" "Hovd Summer Time" "Hovd Time", [Asia__Hovd];
    false "IRKT" "IRKST" "IRKT", "Irkutsk Standard Time" "Irkutsk Summer Time" "Irkutsk Time", [Asia__Irkutsk];
    false "WIB" "WIST" "WIB", "Western Indonesia Time" "West Indonesia Summer Time" "West Indonesia Time",
        [Asia__Jakarta Asia__Pontianak];
    false "WIT" "EIST" "WIT", "Eastern Indonesia Time" "East Indonesia Summer Time" "East Indonesia Time",
        [Asia__Jayapura];
    false "PETT" "PETST" "PETT",
        "Petropavlovsk-Kamchatski Standard Time" "Petropavlovsk-Kamchatski Summer Time" "Petropavlovsk-Kamchatski Time",
        [Asia__Kamchatka];
    false "XJT" "XJDT" "XJT", "Xinjiang Standard Time" "Xinjiang Daylight Time" "Xinjiang Time",
        [Asia__Kashgar Asia__Urumqi];
    false "KRAT" "KRAST" "KRAT", "Krasnoyarsk Standard Time" "Krasnoyarsk Summer Time" "Krasnoyarsk Time",
        [Asia__Krasnoyarsk Asia__Novokuznetsk];
    false "CST" "CDT" "CT", "China Standard Time" "China Daylight Time" "China Time", [Asia__Macao];
    false "MAGT" "MAGST" "MAGT", "Magadan Standard Time" "Magadan Summer Time" "Magadan Time", [Asia__Magadan];
    false "WITA" "CIST" "WITA", "Central Indonesia Time" "Central Indonesia Summer Time" "Central Indonesia Time",
        [Asia__Makassar Asia__Ujung_Pandang];
    false "NOVT" "NOVST" "NOVT", "Novosibirsk Standard Time" "Novosibirsk Summer Time" "Novosibirsk Time",
        [Asia__Novosibirsk];
    false "OMST" "OMSST" "OMST", "Omsk Standard Time" "Omsk Summer Time" "Omsk Time", [Asia__Omsk];
    false "ORAT" "ORAST" "ORAT", "West Kazakhstan Time" "Oral Summer Time" "Oral Time", [Asia__Oral];
    false "QOST" "QOSST" "QOST", "East Kazakhstan Time" "Kostanay Summer Time" "Kostanay Time", [Asia__Qostanay];
    false "QYZT" "QYZST" "QYZT", "West Kazakhstan Time" "Qyzylorda Summer Time" "Qyzylorda Time", [Asia__Qyzylorda];
    false "SAKT" "SAKST" "SAKT", "Sakhalin Standard Time" "Sakhalin Summer Time" "Sakhalin Time", [Asia__Sakhalin];
    false "SRET" "SREDT" "SRET", "Srednekolymsk Time" "Srednekolymsk Daylight Time" "Srednekolymsk Time",
        [Asia__Srednekolymsk];
    false "GET" "GEST" "GET", "Georgia Standard Time" "Georgia Summer Time" "Georgia Time", [Asia__Tbilisi];
    false "BTT" "BTST" "BTT", "Bhutan Time" "Bhutan Summer Time" "Bhutan Time", [Asia__Thimbu Asia__Thimphu];
    false "ULAT" "ULAST" "ULAT", "Ulaanbaatar Standard Time" "Ulaanbaatar Summer Time" "Ulaanbaatar Time",
        [Asia__Ulaanbaatar Asia__Ulan_Bator];
    false "VLAT" "VLAST" "VLAT", "Vladivostok Standard Time" "Vladivostok Summer Time" "Vladivostok Time",
        [Asia__UstNera Asia__Vladivostok];
    false "YEKT" "YEKST" "YEKT", "Yekaterinburg Standard Time" "Yekaterinburg Summer Time" "Yekaterinburg Time",
        [Asia__Yekaterinburg];
    false "AMT" "AMST" "AMT", "Armenia Standard Time" "Armenia Summer Time" "Armenia Time", [Asia__Yerevan];
    false "CVT" "CVST" "CVT", "Cape Verde Standard Time" "Cape Verde Summer Time" "Cape Verde Time",
        [Atlantic__Cape_Verde];
    false "GST" "GDT" "GT", "South Georgia Time" "South Georgia Daylight Time" "South Georgia Time",
        [Atlantic__South_Georgia];
    false "FKT" "FKST" "FKT", "Falkland Islands Standard Time" "Falkland Islands Summer Time" "Falkland Islands Time",
        [Atlantic__Stanley];
    false "ACWST" "ACWDT" "ACWT",
        "Australian Central Western Standard Time" "Australian Central Western Daylight Time" "Australian Central Western Time",
        [Australia__Eucla];
    false "CET" "CEST" "CET", "Central European Time" "Central European Summer Time" "Central European Time", [CET];
    false "CLT" "CLST" "CLT", "Chile Standard Time" "Chile Summer Time" "Chile Time", [Chile__Continental];
    false "EAST" "EASST" "EAST", "Easter Island Standard Time" "Easter Island Summer Time" "Easter Island Time",
        [Chile__EasterIsland Pacific__Easter];
    false "MSK" "MSD" "MT", "Moscow Standard Time" "Moscow Daylight Time" "Moscow Time", [Europe__Kirov];
    false "MSK" "MSD" "MT", "Moscow Standard Time" "Moscow Summer Time" "Moscow Time", [Europe__Minsk];
    false "SAMT" "SAMST" "SAMT", "Samara Standard Time" "Samara Summer Time" "Samara Time", [Europe__Samara];
    false "MSK" "MSD" "MT", "Volgograd Standard Time" "Volgograd Summer Time" "Volgograd Time", [Europe__Volgograd];
    false "GMT" "BST" "BT", "Greenwich Mean Time" "British Summer Time" "British Time", [GBEire];
    false "IOT" "IOST" "IOT", "Indian Ocean Time" "Indian Ocean Territory Summer Time" "Indian Ocean Territory Time",
        [Indian__Chagos];
    false "CXT" "CXST" "CIT", "Christmas Island Time" "Christmas Island Summer Time" "Christmas Island Time",
        [Indian__Christmas];
    false "CCT" "CCST" "CCT", "Cocos Islands Time" "Cocos Islands Summer Time" "Cocos Islands Time", [Indian__Cocos];
    false "TFT" "TFST" "TFT",
        "French Southern & Antarctic Time" "French Southern & Antarctic Lands Summer Time" "French Southern & Antarctic Lands Time",
        [Indian__Kerguelen];
    false "SCT" "SCST" "SCT", "Seychelles Time" "Seychelles Summer Time" "Seychelles Time", [Indian__Mahe];
    false "MVT" "MVST" "MVT", "Maldives Time" "Maldives Summer Time" "Maldives Time", [Indian__Maldives];
    false "MUT" "MUST" "MUT", "Mauritius Standard Time" "Mauritius Summer Time" "Mauritius Time", [Indian__Mauritius];
    false "RET" "REST" "RET", "Réunion Time" "Reunion Summer Time" "Reunion Time", [Indian__Reunion];
    false "MHT" "MHST" "MHT", "Marshall Islands Time" "Marshall Islands Summer Time" "Marshall Islands Time",
        [Kwajalein Pacific__Kwajalein Pacific__Majuro];
    false "MET" "MEST" "MET", "Middle Europe Time" "Middle Europe Summer Time" "Middle Europe Time", [MET];
    false "CHAST" "CHADT" "CHAT", "Chatham Standard Time" "Chatham Daylight Time" "Chatham Time",
        [NZCHAT Pacific__Chatham];
    false "WSST" "WSDT" "WST", "Apia Standard Time" "Apia Daylight Time" "Apia Time", [Pacific__Apia];
    false "BST" "BST" "BT", "Bougainville Standard Time" "Bougainville Daylight Time" "Bougainville Time",
        [Pacific__Bougainville];
    false "CHUT" "CHUST" "CHUT", "Chuuk Time" "Chuuk Summer Time" "Chuuk Time",
        [Pacific__Chuuk Pacific__Truk Pacific__Yap];
    false "VUT" "VUST" "VUT", "Vanuatu Standard Time" "Vanuatu Summer Time" "Vanuatu Time", [Pacific__Efate];
    false "PHOT" "PHOST" "PHOT", "Phoenix Islands Time" "Phoenix Is. Summer Time" "Phoenix Is. Time",
        [Pacific__Enderbury];
    false "TKT" "TKST" "TKT", "Tokelau Time" "Tokelau Summer Time" "Tokelau Time", [Pacific__Fakaofo];
    false "FJT" "FJST" "FJT", "Fiji Standard Time" "Fiji Summer Time" "Fiji Time", [Pacific__Fiji];
    false "TVT" "TVST" "TVT", "Tuvalu Time" "Tuvalu Summer Time" "Tuvalu Time", [Pacific__Funafuti];
    false "GALT" "GALST" "GALT", "Galapagos Time" "Galapagos Summer Time" "Galapagos Time", [Pacific__Galapagos];
    false "GAMT" "GAMST" "GAMT", "Gambier Time" "Gambier Summer Time" "Gambier Time", [Pacific__Gambier];
    false "SBT" "SBST" "SBT", "Solomon Islands Time" "Solomon Is. Summer Time" "Solomon Is. Time",
        [Pacific__Guadalcanal];
    false "ChST" "ChDT" "ChT", "Chamorro Standard Time" "Chamorro Daylight Time" "Chamorro Time",
        [Pacific__Guam Pacific__Saipan];
    false "LINT" "LINST" "LINT", "Line Islands Time" "Line Is. Summer Time" "Line Is. Time", [Pacific__Kiritimati];
    false "KOST" "KOSST" "KOST", "Kosrae Time" "Kosrae Summer Time" "Kosrae Time", [Pacific__Kosrae];
    false "MART" "MARST" "MART", "Marquesas Time" "Marquesas Summer Time" "Marquesas Time", [Pacific__Marquesas];
    false "SST" "SDT" "ST", "Samoa Standard Time" "Samoa Daylight Time" "Samoa Time",
        [Pacific__Midway Pacific__Pago_Pago Pacific__Samoa US__Samoa];
    false "NRT" "NRST" "NRT", "Nauru Time" "Nauru Summer Time" "Nauru Time", [Pacific__Nauru];
    false "NUT" "NUST" "NUT", "Niue Time" "Niue Summer Time" "Niue Time", [Pacific__Niue];
    false "NFT" "NFST" "NFT", "Norfolk Island Standard Time" "Norfolk Island Daylight Time" "Norfolk Island Time",
        [Pacific__Norfolk];
    false "NCT" "NCST" "NCT", "New Caledonia Standard Time" "New Caledonia Summer Time" "New Caledonia Time",
        [Pacific__Noumea];
    false "PWT" "PWST" "PWT", "Palau Time" "Palau Summer Time" "Palau Time", [Pacific__Palau];
    false "PST" "PDT" "PT", "Pitcairn Time" "Pitcairn Daylight Time" "Pitcairn Time", [Pacific__Pitcairn];
    false "PONT" "PONST" "PONT", "Ponape Time" "Pohnpei Summer Time" "Ponape Time", [Pacific__Pohnpei Pacific__Ponape];
    false "PGT" "PGST" "PGT", "Papua New Guinea Time" "Papua New Guinea Summer Time" "Papua New Guinea Time",
        [Pacific__Port_Moresby];
    false "CKT" "CKHST" "CKT", "Cook Islands Standard Time" "Cook Islands Half Summer Time" "Cook Islands Time",
        [Pacific__Rarotonga];
    false "TAHT" "TAHST" "TAHT", "Tahiti Time" "Tahiti Summer Time" "Tahiti Time", [Pacific__Tahiti];
    false "GILT" "GILST" "GILT", "Gilbert Islands Time" "Gilbert Is. Summer Time" "Gilbert Is. Time", [Pacific__Tarawa];
    false "TOT" "TOST" "TOT", "Tonga Standard Time" "Tonga Summer Time" "Tonga Time", [Pacific__Tongatapu];
    false "WAKT" "WAKST" "WAKT", "Wake Island Time" "Wake Summer Time" "Wake Time", [Pacific__Wake];
    false "WFT" "WFST" "WFT", "Wallis & Futuna Time" "Wallis & Futuna Summer Time" "Wallis & Futuna Time",
        [Pacific__Wallis];
};
