<?php

/** The service providers. */

$settings = require dirname(__DIR__) . '/settings.php';

foreach ($settings['service_providers'] as $provider) {
    $entry = [
        'AssertionConsumerService' => $provider['acs_url'],
        'NameIDFormat' => $settings['name_id_format'],
        'saml20.sign.response' => $provider['sign_response'],
        'saml20.sign.assertion' => $provider['sign_assertion'],
        'assertion.encryption' => $provider['encrypt_assertion'],
        'validate.authnrequest' => $provider['validate_requests'],
        'validate.logout' => $provider['certificate'] !== null,
        'sign.logout' => true,
    ];
    if ($provider['slo_url'] !== null) {
        $entry['SingleLogoutService'] = $provider['slo_url'];
    }
    if ($provider['certificate'] !== null) {
        $entry['keys'] = [[
            'type' => 'X509Certificate',
            'signing' => true,
            'encryption' => true,
            'X509Certificate' => $provider['certificate'],
        ]];
    }
    $metadata[$provider['entity_id']] = $entry;
}
