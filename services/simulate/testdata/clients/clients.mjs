// The vendors' own clients do what users of the fake CRMs do. It exits 1 at
// the first thing that is not as with the real ones.
import assert from "node:assert/strict";
import { Client } from "@hubspot/api-client";
import jsforce from "jsforce";

const { HS, SF, HS_TOKEN, HS_REFRESH, SF_ID, SF_SECRET, SF_USER, SF_PASSWORD } = process.env;

async function hubspot() {
  const hs = new Client({ accessToken: HS_TOKEN, basePath: HS, numberOfApiCallRetries: 0 });
  const contacts = hs.crm.contacts;
  const all = await contacts.getAll(50, undefined, ["email", "lifecyclestage"]);
  assert.ok(all.length > 100, `getAll pages: ${all.length}`);
  assert.equal(new Set(all.map((c) => c.id)).size, all.length);
  assert.ok(all[0].createdAt instanceof Date);

  const made = await contacts.basicApi.create({ properties: { email: "client@example.com", lastname: "Klient" }, associations: [] });
  const read = await contacts.basicApi.getById(made.id, ["email", "lastname"]);
  assert.equal(read.properties.lastname, "Klient");
  await contacts.basicApi.update(made.id, { properties: { lastname: "Client" } });
  const byEmail = await contacts.basicApi.getById("client@example.com", ["lastname"], undefined, undefined, false, "email");
  assert.equal(byEmail.properties.lastname, "Client");
  await assert.rejects(contacts.basicApi.create({ properties: { email: "client@example.com" }, associations: [] }),
    (e) => e.code === 409 && e.body.category === "CONFLICT" && e.body.message.endsWith(made.id));
  await assert.rejects(contacts.basicApi.update(made.id, { properties: { foo: "1" } }),
    (e) => e.code === 400 && e.body.errors[0].code === "PROPERTY_DOESNT_EXIST");

  const found = await contacts.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: "lastmodifieddate", operator: "GTE", value: "0" }] }],
    sorts: ["lastmodifieddate"], properties: ["email"], limit: 5, after: "0",
  });
  assert.equal(found.results.length, 5);
  assert.equal(found.paging.next.after, "5");
  assert.ok(found.total > 100);

  const upserted = await hs.crm.deals.batchApi.create({ inputs: [{ properties: { dealname: "A", amount: "10" }, associations: [] }] });
  assert.equal(upserted.results[0].properties.amount, "10");
  const batch = await contacts.batchApi.upsert({ inputs: [
    { id: "client@example.com", idProperty: "email", properties: { lastname: "Up" } },
    { id: "fresh@example.com", idProperty: "email", properties: { lastname: "Fresh" } },
  ] });
  assert.deepEqual(batch.results.map((r) => r._new), [false, true]);
  const partly = await contacts.batchApi.read({ inputs: [{ id: made.id }, { id: "1" }], properties: ["email"], propertiesWithHistory: [] });
  assert.equal(partly.results.length, 1);
  assert.equal(partly.numErrors, 1);

  const props = await hs.crm.properties.coreApi.getAll("contacts");
  assert.ok(props.results.some((p) => p.name === "lifecyclestage" && p.options.length > 3));
  assert.equal((await hs.crm.owners.ownersApi.getPage()).results.length, 5);
  await contacts.basicApi.archive(made.id);
  await assert.rejects(contacts.basicApi.getById(made.id), (e) => e.code === 404);

  const token = await hs.oauth.tokensApi.create("refresh_token", undefined, undefined, "id", "secret", HS_REFRESH);
  assert.ok(token.accessToken && token.expiresIn === 1800);
  const stranger = new Client({ accessToken: "worthless", basePath: HS, numberOfApiCallRetries: 0 });
  await assert.rejects(stranger.crm.contacts.basicApi.getPage(), (e) => e.code === 401 && e.body.category === "INVALID_AUTHENTICATION");
}

async function salesforce() {
  const oauth2 = { clientId: SF_ID, clientSecret: SF_SECRET, loginUrl: SF };
  const sf = new jsforce.Connection({ oauth2, instanceUrl: SF });
  await sf.authorize({ grant_type: "client_credentials" });
  const all = await sf.query("SELECT Id, Name, Email, LastModifiedDate FROM Contact ORDER BY LastModifiedDate DESC, Id",
    { autoFetch: true, maxFetch: 10000, headers: { "Sforce-Query-Options": "batchSize=200" } });
  assert.ok(all.records.length === all.totalSize && all.totalSize > 200, `query pages: ${all.records.length} of ${all.totalSize}`);
  assert.equal(new Set(all.records.map((r) => r.Id)).size, all.totalSize);
  const count = await sf.query("SELECT COUNT() FROM Contact WHERE Email LIKE '%@example.com' AND (Id != null OR Title = 'x')");
  assert.equal(count.totalSize, all.totalSize);
  assert.ok(sf.limitInfo.apiUsage.limit > 0);

  const Contact = sf.sobject("Contact");
  const made = await Contact.create({ LastName: "Klient", Email: "jsforce@example.com", HubSpot_Id__c: "424242" });
  assert.ok(made.success && made.id.startsWith("003"));
  const ups = await Contact.upsert({ HubSpot_Id__c: "424242", Title: "Buyer" }, "HubSpot_Id__c");
  assert.ok(ups.success && ups.created === false);
  const read = await Contact.retrieve(made.id);
  assert.equal(read.Title, "Buyer");
  assert.equal((await Contact.findOne({ Email: "jsforce@example.com" }, "Id, Title")).Id, made.id);
  await assert.rejects(Contact.update({ Id: made.id, Lifecycle__c: "Nonsense" }),
    (e) => e.errorCode === "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
  const many = await Contact.update([{ Id: made.id, Title: "CFO" }, { Id: made.id, Foo__c: "x" }]);
  assert.equal(many[0].success, true);
  assert.equal(many[1].errors[0].statusCode ?? many[1].errors[0].errorCode, "INVALID_FIELD");
  const described = await Contact.describe();
  assert.ok(described.fields.find((f) => f.name === "Lifecycle__c").picklistValues.length > 3);
  assert.ok((await sf.describeGlobal()).sobjects.some((s) => s.name === "Opportunity"));
  assert.ok((await sf.limits()).DailyApiRequests.Max > 0);
  const composite = await sf.request({ method: "POST", url: `/services/data/v${sf.version}/composite`, body: JSON.stringify({
    allOrNone: false, compositeRequest: [
      { method: "GET", url: `/services/data/v${sf.version}/sobjects/Contact/${made.id}`, referenceId: "a" },
      { method: "PATCH", url: `/services/data/v${sf.version}/sobjects/Contact/@{a.Id}`, referenceId: "b", body: { Title: "Head" } }] }),
    headers: { "content-type": "application/json" } });
  assert.deepEqual(composite.compositeResponse.map((c) => c.httpStatusCode), [200, 204]);
  assert.equal((await Contact.retrieve(made.id)).Title, "Head");
  const end = new Date(Date.now() + 60_000);
  assert.ok(Array.isArray((await Contact.updated(new Date(0), end)).ids));
  assert.ok((await Contact.destroy(made.id)).success);
  await assert.rejects(sf.query("SELECT Foo__c FROM Contact"), (e) => e.errorCode === "INVALID_FIELD");
  await assert.rejects(sf.query("SELECT Id FRM Contact"), (e) => e.errorCode === "MALFORMED_QUERY");

  const bulk = [];
  const stream = await sf.bulk2.query("SELECT Id, Email, IsDeleted FROM Contact", { pollInterval: 10, pollTimeout: 5000 });
  for await (const r of stream) bulk.push(r);
  assert.equal(bulk.length, all.totalSize, "Bulk API 2.0");
  assert.deepEqual(new Set(bulk.map((r) => r.Id)), new Set(all.records.map((r) => r.Id)));
  assert.equal(bulk[0].IsDeleted, "false");
  await assert.rejects(sf.bulk2.query("SELECT Foo__c FROM Contact"), (e) => e.errorCode === "INVALID_FIELD");

  const user = new jsforce.Connection({ oauth2, instanceUrl: SF });
  await user.authorize({ grant_type: "password", username: SF_USER, password: SF_PASSWORD });
  const fresh = await user.oauth2.refreshToken(user.refreshToken);
  assert.ok(fresh.access_token);
  const gone = new jsforce.Connection({ instanceUrl: SF, accessToken: "worthless" });
  await assert.rejects(gone.query("SELECT Id FROM Contact"), (e) => e.errorCode === "INVALID_SESSION_ID");
}

for (const [name, run] of Object.entries({ hubspot, salesforce })) {
  try {
    await run();
    console.log(`${name}: ok`);
  } catch (e) {
    console.error(`${name}:`, e);
    process.exitCode = 1;
  }
}
