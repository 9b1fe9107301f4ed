use super::rig::{DIVERTED, OFFER, ROUTER, Rig, SERVICE, WORKER, invite_text, pbx};
use sip::Name;

fn contact(responses: &[sip::Response]) -> String {
    let last = responses.last().unwrap();
    assert_eq!(last.status, 302, "{last:?}");
    last.headers.get(&Name::Contact).unwrap().to_string()
}

#[test]
fn the_router_sends_on_to_the_service_and_that_to_the_worker() {
    let mut rig = Rig::lab();
    let router = rig.invite(ROUTER, "43334", DIVERTED);
    assert_eq!(router[0].status, 100, "100 at once");
    assert_eq!(contact(&router), "<sip:43334@exc-2013-um1.moon.galaxy:5062;transport=tcp>");
    let service = rig.invite(SERVICE, "43334", DIVERTED);
    assert_eq!(contact(&service), "<sip:43334@exc-2013-um1.moon.galaxy:5065;transport=tcp>");
    assert_eq!(rig.invite(WORKER, "43334", DIVERTED).last().unwrap().status, 200);
}

#[test]
fn a_gateway_that_follows_one_redirect_is_sent_to_the_worker_at_once() {
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Redirects", "1")]);
    assert_eq!(contact(&rig.invite(ROUTER, "43334", "")), "<sip:43334@exc-2013-um1.moon.galaxy:5065;transport=tcp>");
}

#[test]
fn a_gateway_that_follows_none_is_answered_where_it_calls() {
    let mut rig = Rig::lab();
    rig.done("Set-UMIPGateway", &[("Identity", "MX-ONE"), ("Redirects", "0")]);
    assert_eq!(rig.invite(ROUTER, "43334", "").last().unwrap().status, 200);
    assert_eq!(rig.invite(SERVICE, "43334", "").last().unwrap().status, 200);
}

#[test]
fn a_peer_that_repeats_call_id_and_cseq_on_each_hop_sends_no_merged_request() {
    let mut rig = Rig::lab();
    for (hop, (listener, status)) in [(ROUTER, 302), (SERVICE, 302), (WORKER, 200)].into_iter().enumerate() {
        let branch = format!("z9hG4bKhop{hop}");
        rig.receive(&invite_text("43334", DIVERTED, &branch, "same-call-id", 7, OFFER), listener, pbx());
        assert_eq!(rig.take_responses().last().unwrap().status, status);
    }
}

#[test]
fn the_auto_attendant_is_redirected_under_its_own_pilot() {
    let mut rig = Rig::lab();
    assert_eq!(contact(&rig.invite(ROUTER, "43333", "")), "<sip:43333@exc-2013-um1.moon.galaxy:5062;transport=tcp>");
}
