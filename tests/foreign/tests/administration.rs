//! The administrator's pages in Chromium: what they show, what their forms change, hostile names, keyboard, contrast, phone
//! width. With EARCON_SCREENSHOTS=FOLDER it leaves pictures there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tests_foreign::browser::Browser;
use tests_foreign::{Lab, LabOptions};

const SOON: Duration = Duration::from_secs(5);
/// As long as a name may be, and as bad.
const HOSTILE: &str = "<img/src=x onerror='";

fn picture(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os("EARCON_SCREENSHOTS") {
        browser.screenshot(&PathBuf::from(folder).join(format!("{name}.png")));
    }
}

fn sign_in(lab: &Lab, browser: &Browser) {
    browser.open(&format!("http://127.0.0.1:{}/", lab.web()));
    browser.click("summary");
    browser.type_into("#token", "lab-admin");
    browser.click("details button");
    browser.wait_for("return document.querySelector('h1')?.innerText == 'Overview'", SOON);
}

fn command(lab: &Lab, command: Value) -> Value {
    let answer = lab.rest("POST", "/api/v1/node/commands", Some(command.to_string().as_bytes()), "application/json");
    assert_eq!(answer.status, 200, "{command}: {}", answer.text());
    answer.json()
}

/// The rows of what a command prints.
fn rows(lab: &Lab, print: Value) -> Vec<Vec<String>> {
    let answer = command(lab, print);
    let tables = answer["tables"].as_array().unwrap();
    let rows = tables.iter().flat_map(|table| table["rows"].as_array().unwrap());
    rows.map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()).collect()
}

/// Fills the field anew.
fn fill(browser: &Browser, field: &str, text: &str) {
    browser.run(&format!("document.querySelector('{field}').value = ''"));
    browser.type_into(field, text);
}

fn wait_for_text(browser: &Browser, selector: &str, text: &str) {
    browser
        .wait_for(&format!("return (document.querySelector({selector:?})?.innerText || '').includes({text:?})"), SOON);
}

#[test]
fn an_extension_is_created_changed_and_ended_on_the_page() {
    let lab = Lab::start(126, LabOptions::default());
    let browser = Browser::start(19126);
    sign_in(&lab, &browser);
    browser.click(".menu a[href='/admin/extensions']");
    browser.wait_for("return document.querySelector('h1')?.innerText == 'Extensions'", SOON);
    assert_eq!(browser.run("return document.querySelector('.menu [aria-current=page]').innerText"), "Extensions");

    // Refused: said in the form, with the focus where it is to be mended; nothing is left of it.
    browser.type_into("#new-dir", "27000");
    browser.type_into("#new-name1", "Twice");
    browser.click("#new-extension button");
    wait_for_text(&browser, "#new-extension [role=alert]", "27000 ALREADY ASSIGNED");
    assert_eq!(browser.run("return document.activeElement.id"), "new-dir");
    assert_eq!(browser.run("return document.activeElement.getAttribute('aria-invalid')"), "true");
    fill(&browser, "#new-dir", "27005");
    browser.type_into("#new-voice_mail", "99999");
    browser.click("#new-extension button");
    wait_for_text(&browser, "#new-extension [role=alert]", "99999 NOT ASSIGNED");
    assert_eq!(browser.run("return document.activeElement.id"), "new-voice_mail");
    assert!(
        lab.get("/api/v1/extensions").to_string().contains("27010")
            && !lab.get("/api/v1/extensions").to_string().contains("27005")
    );

    // Created, with a name that wants to be HTML.
    fill(&browser, "#new-name1", HOSTILE);
    fill(&browser, "#new-name2", "& \"Söhne\"");
    fill(&browser, "#new-voice_mail", "43334");
    browser.type_into("#new-auth_code", "moon-27005");
    browser.click("#new-extension button");
    wait_for_text(&browser, "#new-extension [role=status]", "Extension 27005 was created");
    wait_for_text(&browser, "[data-part='/parts/extensions']", &format!("{HOSTILE} & \"Söhne\""));
    picture(&browser, "extensions");
    assert_eq!(browser.run("return document.querySelectorAll('img').length"), 0);
    let lists = rows(&lab, json!({ "command": "call_list", "verb": "print", "dir": "27005" }));
    assert_eq!(lists.len(), 2, "{lists:?}");

    // Its own page: name, password, call list, phones.
    browser.click("[data-part='/parts/extensions'] a[href='/admin/extensions/27005']");
    browser.wait_for("return document.querySelector('#name1')", SOON);
    assert_eq!(browser.run("return document.querySelector('#name1').value"), HOSTILE);
    assert!(browser.run("return document.querySelector('h1').innerText").as_str().unwrap().contains(HOSTILE));
    fill(&browser, "#name1", "Dagny");
    fill(&browser, "#name2", "Öberg");
    browser.click("section[aria-labelledby=name-title] button");
    wait_for_text(&browser, "h1", "27005 Dagny Öberg");
    browser.type_into("#position", "3");
    browser.type_into("#dest_number", "27001");
    browser.type_into("#ringing_time", "20");
    browser.click("[aria-label='Set a position'] .submit button");
    wait_for_text(&browser, "[data-part='/parts/call-list/27005']", "27001");
    let lists = rows(&lab, json!({ "command": "call_list", "verb": "print", "dir": "27005" }));
    assert!(lists.iter().any(|row| row.contains(&"27001".to_owned()) && row.contains(&"20".to_owned())), "{lists:?}");
    browser.click("[aria-label='End position 3']");
    browser.wait_for("return !document.querySelector('[aria-label=\"End position 3\"]')", SOON);
    browser.type_into("#mac", "00:08:5d:00:27:05");
    browser.type_into("#model", "6867i");
    browser.click("[aria-label='Enter a phone'] .submit button");
    wait_for_text(&browser, "[aria-label='Enter a phone'] .report", "its token, shown this once");
    wait_for_text(&browser, "[data-part='/parts/phones-of/27005']", "00085D002705");
    picture(&browser, "extension");

    browser.run("window.confirm = (question) => { window.asked = question; return true; }");
    browser.click("section[aria-labelledby=end-title] button");
    browser.wait_for("return location.pathname == '/admin/extensions'", SOON);
    assert!(!lab.get("/api/v1/extensions").to_string().contains("27005"));
    assert!(rows(&lab, json!({ "command": "ip_phone", "verb": "print" })).is_empty());
    browser.open(&format!("http://127.0.0.1:{}/admin/extensions/27005", lab.web()));
    wait_for_text(&browser, "h1", "no such extension");
}

/// Pairs of text and background on the page whose contrast is below WCAG 2.2's 4.5 (large or bold headings have more anyway).
const FAINT: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const over = (colours) => {
      canvas.clearRect(0, 0, 1, 1);
      for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
      const [r, g, b] = rgb.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!own || !element.checkVisibility() || element.closest('.skip, .visually-hidden, .toast')) continue;
      const grounds = [];
      for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
      const ground = light(over(grounds));
      const ink = light(over([...grounds, getComputedStyle(element).color]));
      const ratio = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
      if (ratio < 4.5) faint.push(element.outerHTML.slice(0, 120) + ' ' + ratio.toFixed(2));
    }
    return faint;";

/// Fields without a label, and buttons and links without a name.
const NAMELESS: &str = "
    const fields = [...document.querySelectorAll('input:not([type=hidden]), select')].filter((e) => !e.labels.length && !e.ariaLabel);
    const pressed = [...document.querySelectorAll('button, a')].filter((e) => !(e.ariaLabel || e.textContent.trim()));
    const heads = [...document.querySelectorAll('th')].filter((e) => !e.textContent.trim());
    return [...fields, ...pressed, ...heads].map((e) => e.outerHTML.slice(0, 120));";

#[test]
fn every_page_can_be_read_on_a_phone_in_the_dark_and_by_those_who_listen() {
    let lab = Lab::start(127, LabOptions::default());
    command(
        &lab,
        json!({ "command": "ip_phone", "verb": "initiate", "mac": "00085D123456", "dir": "27000", "model": "6867i" }),
    );
    let line = json!({ "command": "ip_phone_parameter", "verb": "initiate", "file": "aastra.cfg", "key": "k", "value": HOSTILE });
    command(&lab, line);
    let browser = Browser::start(19127);
    sign_in(&lab, &browser);
    for (path, name) in [
        ("/", "overview"),
        ("/admin/extensions", "extensions"),
        ("/admin/extensions/27000", "extension"),
        ("/admin/routes", "routes"),
        ("/admin/phones", "phones"),
    ] {
        browser.open(&format!("http://127.0.0.1:{}{path}", lab.web()));
        browser.wait_for("return document.querySelector('.menu [aria-current=page]')", SOON);
        for (colours, width, height) in
            [("light", 1200, 900), ("dark", 1200, 900), ("light", 375, 800), ("dark", 375, 800)]
        {
            browser.colours(colours);
            browser.screen(width, height);
            // Colours fade from one to the other.
            browser.wait_for("return document.getAnimations().length == 0", SOON);
            assert_eq!(browser.run(FAINT), json!([]), "{path} {colours}");
            assert_eq!(browser.run(NAMELESS), json!([]), "{path}");
            let wide =
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wide, 0, "{path} scrolls sideways at {width}");
            picture(&browser, &format!("{name}-{colours}-{width}"));
        }
        assert_eq!(browser.run("return document.querySelectorAll('img, script:not([src])').length"), 0, "{path}");
    }
    browser.screen(1200, 900);
    browser.open(&format!("http://127.0.0.1:{}/admin/phones", lab.web()));
    wait_for_text(&browser, "[data-part='/parts/table/phone-parameters']", HOSTILE);
    browser.open(&format!("http://127.0.0.1:{}/admin/routes", lab.web()));
    wait_for_text(&browser, "[data-part='/parts/table/routes']", "ExchangeUM_TCP");
    wait_for_text(&browser, "[data-part='/parts/table/destinations']", "43334");
    wait_for_text(&browser, "[data-part='/parts/table/numbers']", "27000");

    // Who is not the administrator sees none of it.
    browser.click(".account form button");
    browser.wait_for("return document.querySelector('#pin')", SOON);
    browser.open(&format!("http://127.0.0.1:{}/admin/extensions", lab.web()));
    browser.wait_for("return document.querySelector('#pin')", SOON);
    browser.type_into("#extension", "27000");
    browser.type_into("#pin", "730146");
    browser.click("form .primary");
    browser.wait_for("return document.title.startsWith('Anna')", SOON);
    for path in ["/admin/extensions", "/admin/extensions/27000", "/admin/routes", "/admin/phones"] {
        browser.open(&format!("http://127.0.0.1:{}{path}", lab.web()));
        wait_for_text(&browser, "h1", "this is not yours to see");
    }
    assert_eq!(browser.run("return fetch('/parts/table/routes').then(answer => answer.status)"), 403);
    let answer = "return fetch('/api/v1/node/commands', { method: 'POST', body: '{}' }).then(answer => answer.status)";
    assert_eq!(browser.run(answer), 403);
}
