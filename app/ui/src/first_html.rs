//! The pages as the server renders them, before any script runs.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use leptos_router::location::RequestUrl;
use protocol::id::DeviceId;

use crate::choice::{Choice, Language};
use crate::{App, Bootstrap, sample};

fn render(path: &str, page: Bootstrap) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    owner.with(|| {
        provide_context(page);
        provide_context(RequestUrl::new(path));
        App().to_html()
    })
}

fn device() -> DeviceId {
    "board-3".parse().unwrap()
}

fn pages(language: Language) -> [(&'static str, String); 5] {
    let choice = Choice { language, ..Choice::default() };
    let render = |path, device: Option<&DeviceId>| {
        (path, render(path, Bootstrap { choice, ..sample::page(device) }))
    };
    [
        render("/", None),
        render("/devices/board-3", Some(&device())),
        render("/devices/none", None),
        render("/nowhere", None),
        render("/commands", None),
    ]
}

#[test]
fn the_first_html_shows_the_values_of_now() {
    let [(_, overview), (_, device), ..] = pages(Language::Zh);
    for text in ["1#轨电位限制装置", "233.3", "拒绝连接", "E012", "演示数据", "3/4", "14:03:22"]
    {
        assert!(overview.contains(text), "{text} is not on the overview");
    }
    for text in ["12.5", "228.1", "超时", "尚未读取", "999.0", "1000", "未配置"] {
        assert!(device.contains(text), "{text} is not on the device's page");
    }
}

#[test]
fn every_point_says_its_quality() {
    let [_, (_, device), ..] = pages(Language::Zh);
    for quality in ["good", "stale", "bad", "no_comm", "uncertain", "simulated"] {
        let attribute = format!("data-quality=\"{quality}\"");
        assert!(device.contains(&attribute), "{attribute}");
    }
    assert!(device.contains("data-point=\"rail_potential\""));
    assert!(device.contains("data-device=\"board-3\""));
}

#[test]
fn the_policy_of_the_server_permits_every_page() {
    // No style attributes and no inline handlers: the policy forbids both.
    for language in [Language::Zh, Language::En] {
        for (path, html) in pages(language) {
            for forbidden in [" style=", " onclick=", " onload=", "javascript:"] {
                assert!(!html.contains(forbidden), "{forbidden} in {path}");
            }
        }
    }
}

#[test]
fn an_english_page_has_no_chinese_word() {
    for (path, html) in pages(Language::En) {
        // The two switches name the other language in its own words.
        let html = html.replace("中/EN", "").replace("切换到中文", "");
        let foreign: String =
            html.chars().filter(|c| ('\u{4e00}'..'\u{9fff}').contains(c)).collect();
        assert_eq!(foreign, "", "{path}");
    }
}

#[test]
fn an_address_that_leads_nowhere_says_so() {
    let [_, _, (_, device), (_, nowhere), _] = pages(Language::Zh);
    assert!(device.contains("没有这个设备"));
    assert!(nowhere.contains("没有这个页面"));
}

#[test]
fn a_device_offers_its_commands_and_none_before_it_is_connected() {
    let [_, (_, device), ..] = pages(Language::Zh);
    for text in ["启动", "设置温度阈值", "正在连接: 连接后才能下发指令", "按住 1 秒执行"]
    {
        assert!(device.contains(text), "{text} is not on the device's page");
    }
    assert_eq!(device.matches("data-command=").count(), 7);
    assert_eq!(device.matches("class=\"act\"").count(), 7);
    let (questions, buttons, codes, switches, hold) = (7, 5, 2, 2, 1);
    let all = questions + buttons + codes + switches + hold;
    assert_eq!(device.matches(" disabled").count(), all);
    assert!(!device.contains("data-command=\"remote_on\""), "START stands for it");
}

#[test]
fn the_commands_page_shows_the_queue_at_once_and_the_record_later() {
    let [.., (_, commands)] = pages(Language::Zh);
    for text in ["系统服务器 center", "设置温度阈值 60", "占用中", "12 s", "正在读取", "导出 CSV"]
    {
        assert!(commands.contains(text), "{text} is not on the commands page");
    }
    assert!(commands.contains("href=\"/commands?origin=pscada\""));
}

#[test]
fn routes_can_be_listed_without_a_plant() {
    let html = render("/", Bootstrap::default());
    assert!(html.contains("尚未配置设备"));
}
