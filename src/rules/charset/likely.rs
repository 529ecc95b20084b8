//! Whether a text looks like words: what tells two charsets apart that both read the bytes without an error.

use encoding_rs::{EUC_JP, EUC_KR, SHIFT_JIS};

use super::named::Charset;

/// Characters looked at.
const ENOUGH: usize = 2000;
/// Fewer tell nothing.
const FEW: u16 = 4;

/// The commonest characters of Chinese texts, Simplified and Traditional; together about half of what is printed, and
/// a few hundredths of what comes out of the wrong charset.
const HAN: &str = "的一是不了在人有我他這这個个們们中來来上大為为和國国地到以說说時时要就出會会可也你對对生能而子那得于著着下自\
之年過过發发後后作里用道行所然家種种事成方多經经麼么去法學学如都同現现當当沒没動动面起看定天分還还進进好小部其些主樣样理心她\
本前開开但因只從从想實实日軍军者意無无力它與与長长把機机十民第公此已工使情明性知全三又關关點点正業业外將将兩两高間间由問问很\
最重並并物手應应戰战向頭头文體体政美相見见被利什二等產产或新己制身果加西斯月話话合回特代內内信表化老給给世位次度門门任常先海\
通教兒儿原東东聲声提立及比員员解水名真論论處处走義义各入幾几口認认條条平系氣气題题活爾尔更別别打女變变四神總总何電电數数安\
少報报才結结反受目太量再感建務务做接必場场件計计管期市直德資资命山金指克許许統统區区保至隊队形社便空決决治展馬马科司五基眼書书\
非則则聽听白卻却界達达光放強强即像難难且權权思王象完設设式色路記记南品住告類类求據据程北邊边死張张該该交規规萬万取拉格望覺觉術术\
領领共確确傳传師师觀观清今切院讓让識识候帶带導导爭争運运香港聞闻週周稱称據聯联近歲岁";

/// The commonest syllables of Korean texts.
const HANGUL: &str = "이다의는에을가고하은를지로한기사도어나라자그리서인아만들시수정해일대으있부보전여제했오상장주적구과성안게\
등경된면것며할유원까동미공국내소년조당비와신되선문관위실세화진중개방않무말생모교연출회두마민월였";

/// Which share of the characters beyond ASCII are the commonest of the language such a charset writes, 0 to 1; `None` where
/// it has too few to tell.
pub(super) fn likeness(text: &str, charset: Charset) -> Option<f32> {
    let is = |one| charset == Charset::Standard(one);
    let (japanese, korean) = (is(EUC_JP) || is(SHIFT_JIS), is(EUC_KR));
    let (mut all, mut common) = (0_u16, 0_u16);
    for c in text.chars().filter(|c| !c.is_ascii()).take(ENOUGH) {
        all += 1;
        let known = match c {
            // Half-width Katakana are what the bytes of another charset become in Shift_JIS, so they do not count.
            'ぁ'..='ヿ' => japanese,
            '가'..='힣' => korean && HANGUL.contains(c),
            '、'
            | '。'
            | '「'..='』'
            | '，'
            | '！'
            | '：'
            | '；'
            | '？'
            | '“'
            | '”'
            | '（'
            | '）' => true,
            c => !korean && HAN.contains(c),
        };
        common += u16::from(known);
    }
    (all >= FEW).then(|| f32::from(common) / f32::from(all))
}

/// Whether a reading is so much likelier than another that it is believed against a label.
pub(super) fn is_far_likelier(one: f32, than: f32) -> bool {
    one >= 0.3 && one >= than * 2.0 + 0.1
}
